"""The kernel's answers to all scripts, written beside the tests that hold the endpoint to them."""

import msgspec

from tests.net.host.scripts import SCRIPTS
from tests.net.host.test_against_kernel import RECORD, on_kernel

if __name__ == "__main__":
    RECORD.write_bytes(msgspec.json.format(msgspec.json.encode(on_kernel(SCRIPTS)), indent=1) + b"\n")
