"""What is written keeps to the schema that is printed, field by field."""

import json
import tomllib
from importlib import resources
from typing import Any

import jsonschema
import msgspec
import pytest

from crenel.report.result import Asked, CheckResult, run_head
from crenel.report.schema import MEANINGS, result_schema, wall_schema
from tests.report.making import EXAMPLE, judge, wall_of

FLOW_FIELDS = [
    "capture", "flow", "transport", "client", "client_port", "server", "server_port", "start", "packets", "bytes", "protocol", "name", "names",
    "basis", "complete", "verdict", "at_risk", "middlebox", "action", "residual", "at_packet", "chance", "triggers", "evidence",
]
HEAD_FIELDS = ["crenel", "schema", "wall", "wall_sha256", "as_of", "seed", "assume", "lists", "listed", "inside", "vantage", "captures"]


def validator() -> Any:
    schema = result_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


def test_flows_heads_and_whole_results_keep_to_the_schema() -> None:
    wall = wall_of()
    flows = judge(str(EXAMPLE), wall)
    head = run_head(wall, Asked("1", (), 0.0), [], [])
    result = CheckResult(**msgspec.structs.asdict(head), flows=tuple(flows))
    check = validator()
    for value in (head, result, *flows):
        check.validate(json.loads(msgspec.json.encode(value)))


@pytest.mark.parametrize("broken", [{}, {"capture": "x"}, {"flows": []}, 1])
def test_the_schema_refuses_what_is_something_else(broken: object) -> None:
    with pytest.raises(jsonschema.ValidationError):
        validator().validate(broken)


def test_no_field_that_users_rely_on_is_missing_or_out_of_order() -> None:
    wall = wall_of()
    flow = json.loads(msgspec.json.encode(judge(str(EXAMPLE), wall)[0]))
    assert list(flow) == FLOW_FIELDS
    assert list(flow["triggers"][0]) == ["middlebox", "action", "chance", "acted"]
    assert list(flow["evidence"][0])[:9] == ["read", "offset", "length", "value", "rule", "middlebox", "epoch", "sources", "assumed"]
    head = json.loads(msgspec.json.encode(run_head(wall, Asked("1", (), 0.0), [], [])))
    assert [field for field in head if field in HEAD_FIELDS] == HEAD_FIELDS
    definitions = result_schema()["$defs"]
    assert isinstance(definitions, dict)
    assert definitions["FlowReport"]["required"] == FLOW_FIELDS
    assert set(HEAD_FIELDS) <= set(definitions["RunHead"]["required"])


def test_every_meaning_is_of_a_field_that_exists() -> None:
    definitions = result_schema()["$defs"]
    assert isinstance(definitions, dict)
    for name, meanings in MEANINGS.items():
        assert set(meanings) <= set(definitions[name]["properties"])


def test_the_shipped_wall_keeps_to_the_schema_of_walls() -> None:
    schema = wall_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    text = (resources.files("crenel.atlas") / "walls" / "gfw.toml").read_text("utf-8")
    profile = json.loads(json.dumps(tomllib.loads(text), default=lambda moment: moment.isoformat()))
    jsonschema.Draft202012Validator(schema).validate(profile)
    profile["middlebox"][0]["unheard-of"] = 1
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft202012Validator(schema).validate(profile)
