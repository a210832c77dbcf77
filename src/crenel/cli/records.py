"""Records of the atlas in, JSON on standard output out: one object, or a line for each."""

import json
import sys
from collections.abc import Sequence

from crenel import __version__


def write_records(name: str, records: Sequence[object], *, whole: bool) -> None:
    """Write records as one object that has them under `name`, or as a line for each."""
    if whole:
        sys.stdout.write(json.dumps({"crenel": __version__, name: records}, indent=1, ensure_ascii=False) + "\n")
    else:
        sys.stdout.write("".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records))
