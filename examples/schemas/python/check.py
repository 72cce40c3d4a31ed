"""Validates the documents, and receives what labhook signed: check.py DOCUMENTS FIXTURES SIGNED."""

import json
import sys
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator
from lab_events import RunStateChangedEvent, UnknownEvent
from openapi_spec_validator import validate
from pydantic import ValidationError
from receiver import receive
from standardwebhooks.webhooks import WebhookVerificationError

documents, fixtures, signed = (Path(argument) for argument in sys.argv[1:])


def read(file: Path) -> Any:
    return json.loads(file.read_text())


validate(read(documents / "openapi.json"))
schema = read(documents / "lab-events.schema.json")
Draft202012Validator.check_schema(schema)
validator = Draft202012Validator(schema)
files = sorted(fixtures.glob("*.json"))
for file in files:
    validator.validate(read(file))
assert len(files) >= 19, files

requests = read(signed)


def receive_request(request: Any) -> Any:
    return receive(requests["secret"], request["headers"], request["body"].encode())


seen = set()
for request in requests["genuine"]:
    event = receive_request(request)
    assert event.type == request["name"], request
    assert isinstance(event, UnknownEvent) == (event.type == "batch.labelled"), event
    # Members that the types do not know are kept.
    written = event.model_dump(exclude_unset=True, mode="json")
    assert written.keys() == json.loads(request["body"]).keys(), written
    if isinstance(event, RunStateChangedEvent):
        assert (event.data.state, event.data.previous_state) == ("paused", "warming_up")
        assert event.timestamp.isoformat() == "2025-04-17T09:30:00+00:00"
        assert event.data.model_extra is not None and event.data.model_extra["zeta"] == 1.10
    seen.add(event.type)
assert seen == {file.stem for file in files}, seen

for request in requests["refused"]:
    try:
        receive_request(request)
    except WebhookVerificationError:
        continue
    raise AssertionError(f"accepted: {request['name']}")

for request in requests["unreadable"]:
    try:
        receive_request(request)
    except ValidationError as error:
        assert error.errors()[0]["loc"][-1] == "run_id", error
        continue
    raise AssertionError(f"accepted: {request['name']}")

counts = ", ".join(f"{len(requests[kind])} {kind}" for kind in ("genuine", "refused", "unreadable"))
print(f"Python: {len(files)} events validated; signed requests: {counts}")
