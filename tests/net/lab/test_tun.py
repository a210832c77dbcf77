"""TUN devices, made inside a lab: programs there may have their own, and what cannot be made is an error."""

from crenel.net.lab.lab import Lab
from tests.net.lab.machine import crenel_python

SCRIPT = """
import os, socket
from crenel.net.lab.tun import open_tun
tun = open_tun("own0")
print([name for _, name in socket.if_nameindex()])
try:
    open_tun("own0")
except OSError as problem:
    print(type(problem).__name__, problem)
os.close(tun)
print([name for _, name in socket.if_nameindex()])
"""


def test_a_program_in_the_lab_may_make_a_device_that_goes_with_it(lab: Lab) -> None:
    done = lab.run(crenel_python(SCRIPT), timeout=20)
    assert done.stdout.decode().splitlines() == [
        "['lo', 'lab0', 'own0']", "OSError [Errno 16] ioctl: Device or resource busy", "['lo', 'lab0']",
    ], done.stderr  # fmt: skip
