from lab_events import LabEvent, UnknownEvent
from pydantic import BaseModel, ValidationError
from standardwebhooks import Webhook


def receive(secret: str, headers: dict[str, str], body: bytes) -> BaseModel:
    """Verifies a request and decodes its event.

    Raises `WebhookVerificationError` if the request is not genuine, and `ValidationError` if the
    event does not match its type. Store such a body: labhook's own receiver keeps it as well.
    """
    Webhook(secret).verify(body, headers, json_parse=False)
    try:
        return LabEvent.model_validate_json(body).root
    except ValidationError as error:
        if error.errors()[0]["type"] != "union_tag_invalid":
            raise
        return UnknownEvent.model_validate_json(body)
