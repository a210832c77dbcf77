"""A client's programs in, as JSON, the last one's output and status out: it starts once those before it are ready, and ends them.

It runs in a bare interpreter on the client's machine of a lab, so only the standard library is imported.
"""

import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import IO, Any

_READY = 15.0
"""Seconds that a program may take to be ready (bench)."""
_LISTENS = "0A"
"""TCP_LISTEN, as the kernel writes it."""


def main() -> int:
    """Carry out the plan that stands in the first argument."""
    plan: dict[str, Any] = json.loads(sys.argv[1])
    started: list[subprocess.Popen[bytes]] = []
    found: dict[str, str] = {}
    try:
        for number, program in enumerate(plan["start"]):
            with Path(plan["folder"], f"near-{os.getpid()}-{number}.log").open("w+b") as log:
                started.append(subprocess.Popen(program["argv"], stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=os.environ | program["env"]))
                found |= _wait(started[-1], program, log)
        argv = [re.sub(r"\{(\w+)\}", lambda name: found.get(name[1], name[0]), argument) for argument in plan["run"]]
        return subprocess.run(argv, check=False).returncode
    finally:
        for process in reversed(started):
            process.kill()
        for process in started:
            process.wait()


def _wait(process: "subprocess.Popen[bytes]", program: dict[str, Any], log: IO[bytes]) -> dict[str, str]:
    """Return what a program says that others need to know, once it is ready; `SystemExit` where it never is."""
    deadline = time.monotonic() + _READY
    while time.monotonic() < deadline and process.poll() is None:
        if program["says"]:
            said = re.search(program["says"], os.pread(log.fileno(), 1 << 20, 0).decode("utf-8", "replace"))
            if said is not None:
                return said.groupdict()
        elif _listens(program["port"], program["transport"]):
            return {}
        time.sleep(0.005)
    raise SystemExit(f"{program['argv'][0]} is not ready: {os.pread(log.fileno(), 4000, 0).decode('utf-8', 'replace')}")


def _listens(port: int, transport: str) -> bool:
    for name in (transport, f"{transport}6"):
        for line in Path("/proc/net", name).read_text().splitlines()[1:]:
            fields = line.split()
            if fields[1].endswith(f":{port:04X}") and (transport == "udp" or fields[3] == _LISTENS):
                return True
    return False


if __name__ == "__main__":
    sys.exit(main())
