"""Drives one library for `tests/it/official`: a request and an answer are each a line of JSON.

The first line that it writes is the installed version. A refusal is any exception of a library.
"""

import base64
import importlib.metadata
import json
import sys
from datetime import datetime, timezone

import time_machine


class StandardWebhooks:
    """Also `svix`, which has the same two methods."""

    def __init__(self, webhook, **options):
        self.webhook = webhook
        self.options = options

    def verify(self, secrets, headers, body):
        self.webhook(secrets[0]).verify(body, headers, **self.options)

    def sign(self, secrets, id, timestamp, body):
        at = datetime.fromtimestamp(timestamp, tz=timezone.utc)
        signatures = [self.webhook(secret).sign(id, at, body.decode()) for secret in secrets]
        return {
            "webhook-id": id,
            "webhook-timestamp": str(timestamp),
            "webhook-signature": " ".join(signatures),
        }


class Stripe:
    def __init__(self, signature, tolerance):
        self.signature = signature
        self.tolerance = tolerance

    def verify(self, secrets, headers, body):
        header = headers.get("stripe-signature")
        self.signature.verify_header(body, header, secrets[0], self.tolerance)

    def sign(self, secrets, id, timestamp, body):
        headers = [
            self.signature.generate_signature_header(body.decode(), secret, timestamp)
            for secret in secrets
        ]
        # The first has the time, and each a signature.
        others = [header.split(",", 1)[1] for header in headers[1:]]
        return {"stripe-signature": ",".join([headers[0], *others])}


class Slack:
    def __init__(self, verifier):
        self.verifier = verifier

    def verify(self, secrets, headers, body):
        if not self.verifier(secrets[0]).is_valid_request(body, headers):
            raise ValueError("not valid")

    def sign(self, secrets, id, timestamp, body):
        timestamp = str(timestamp)
        verifier = self.verifier(secrets[0])
        signature = verifier.generate_signature(timestamp=timestamp, body=body)
        return {"x-slack-request-timestamp": timestamp, "x-slack-signature": signature}


class CloudEvents:
    def __init__(self, event, http):
        self.event = event
        self.http = http

    def read(self, headers, body):
        message = self.http.HTTPMessage(headers=headers, body=body)
        event = self.http.from_http_event(message)
        attributes = dict(event.get_attributes())
        attributes["time"] = attributes["time"].isoformat()
        data = event.get_data()
        if isinstance(data, bytes):
            return {"attributes": attributes, "data_base64": base64.b64encode(data).decode()}
        return {"attributes": attributes, "data": data}

    def write(self, mode, attributes, data, data_base64):
        attributes = {**attributes, "time": datetime.fromisoformat(attributes["time"])}
        if data_base64 is not None:
            data = base64.b64decode(data_base64)
        event = self.event(attributes, data)
        write = {"binary": self.http.to_binary_event, "structured": self.http.to_structured_event}
        message = write[mode](event)
        return message.headers, message.body


def load(name):
    if name == "standardwebhooks":
        from standardwebhooks import Webhook

        # Bodies are not always JSON.
        return StandardWebhooks(Webhook, json_parse=False)
    if name == "svix":
        from svix.webhooks import Webhook

        return StandardWebhooks(Webhook)
    if name == "stripe":
        from stripe import Webhook, WebhookSignature

        return Stripe(WebhookSignature, Webhook.DEFAULT_TOLERANCE)
    if name == "slack_sdk":
        from slack_sdk.signature import SignatureVerifier

        return Slack(SignatureVerifier)
    if name == "cloudevents":
        from cloudevents.core.bindings import http
        from cloudevents.core.v1.event import CloudEvent

        return CloudEvents(CloudEvent, http)
    raise SystemExit(f"no library {name}")


def refusal(error):
    return {"accepted": False, "why": f"{type(error).__name__}: {error}"[:200]}


def answer(library, request):
    op = request["op"]
    body = base64.b64decode(request.get("body", ""))
    if op == "verify":
        # These libraries read the clock.
        with time_machine.travel(request["now"], tick=False):
            try:
                library.verify(request["secrets"], request["headers"], body)
            except Exception as error:
                return refusal(error)
        return {"accepted": True}
    if op == "sign":
        headers = library.sign(request["secrets"], request["id"], request["timestamp"], body)
        return {"headers": headers}
    if op == "read":
        try:
            return {"accepted": True, **library.read(request["headers"], body)}
        except Exception as error:
            return refusal(error)
    if op == "write":
        headers, body = library.write(
            request["mode"], request["attributes"], request.get("data"), request.get("data_base64")
        )
        return {"headers": headers, "body": base64.b64encode(body).decode()}
    raise SystemExit(f"no operation {op}")


def main():
    name = sys.argv[1]
    library = load(name)
    print(json.dumps({"version": importlib.metadata.version(name)}), flush=True)
    for line in sys.stdin.buffer:
        print(json.dumps(answer(library, json.loads(line))), flush=True)


main()
