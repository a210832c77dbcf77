"""Records of the atlas as one object or as lines."""

import json

import pytest

from crenel import __version__
from crenel.cli.records import write_records


def test_one_object_or_lines(capsys: pytest.CaptureFixture[str]) -> None:
    write_records("things", [{"a": "ü"}, 2], whole=True)
    assert json.loads(capsys.readouterr().out) == {"crenel": __version__, "things": [{"a": "ü"}, 2]}
    write_records("things", [{"a": "ü"}, 2], whole=False)
    assert capsys.readouterr().out == '{"a": "ü"}\n2\n'
