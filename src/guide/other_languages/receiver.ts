import { readFileSync } from "node:fs";
import { Ajv2020 } from "ajv/dist/2020.js";
import { Webhook } from "standardwebhooks";
import type { LabEvent, UnknownEvent } from "./lab-events.js";

export type Received =
  | { known: true; event: LabEvent }
  | { known: false; event: UnknownEvent };

// labhook reads any text as a time; with `ajv-formats`, only RFC 3339 is valid.
const ajv = new Ajv2020({ formats: { "date-time": true } });
ajv.addSchema(JSON.parse(readFileSync("lab-events.schema.json", "utf8")), "lab");
const isLabEvent = ajv.compile<LabEvent>({ $ref: "lab#/$defs/LabEvent" });
const isUnknownEvent = ajv.compile<UnknownEvent>({ $ref: "lab#/$defs/UnknownEvent" });

/**
 * Verifies a request and decodes its event.
 *
 * Throws `WebhookVerificationError` if the request is not genuine, and another error if the event
 * does not match its type. Store such a body: labhook's own receiver keeps it as well.
 */
export function receive(secret: string, headers: Record<string, string>, body: string): Received {
  const event = new Webhook(secret).verify(body, headers);
  if (isLabEvent(event)) return { known: true, event };
  if (isUnknownEvent(event)) return { known: false, event };
  throw new Error(ajv.errorsText(isLabEvent.errors));
}
