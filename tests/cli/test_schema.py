"""`crenel schema`: what check prints keeps to what schema prints."""

import json

import jsonschema

from tests.cli.running import DAY, run
from tests.report.making import EXAMPLE


def test_the_output_of_check_keeps_to_it() -> None:
    validator = jsonschema.Draft202012Validator(json.loads(run("schema").out))
    validator.validate(json.loads(run("check", str(EXAMPLE), *DAY, "--format", "json").out))
    lines = run("check", str(EXAMPLE), *DAY, "--format", "jsonl", "--header").lines
    assert len(lines) == 22
    for line in lines:
        validator.validate(json.loads(line))
