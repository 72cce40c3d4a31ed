// Validates the AsyncAPI document, and receives what labhook signed: check.js ASYNCAPI SIGNED.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { DiagnosticSeverity, Parser } from "@asyncapi/parser";
import { WebhookVerificationError } from "standardwebhooks";
import type { RunState } from "./lab-events.js";
import { receive } from "./receiver.js";

interface Signed {
  name: string;
  headers: Record<string, string>;
  body: string;
}

const [asyncapi, signed] = process.argv.slice(2);
assert(asyncapi && signed);

const { document, diagnostics } = await new Parser().parse(readFileSync(asyncapi, "utf8"));
const errors = diagnostics.filter(({ severity }) => severity === DiagnosticSeverity.Error);
assert.deepEqual(errors, []);
assert.equal(document?.allMessages().length, 18);

const requests: { secret: string; genuine: Signed[]; refused: Signed[]; unreadable: Signed[] } =
  JSON.parse(readFileSync(signed, "utf8"));
const open = ({ headers, body }: Signed) => receive(requests.secret, headers, body);

const seen = new Set<string>();
for (const request of requests.genuine) {
  const received = open(request);
  assert.equal(received.event.type, request.name);
  assert.equal(received.known, request.name !== "batch.labelled");
  seen.add(received.event.type);
  // The type decides which data the event has, and the compiler knows.
  if (received.known && received.event.type === "run.state_changed") {
    const state: RunState = received.event.data.state;
    const previous: RunState | null | undefined = received.event.data.previous_state;
    assert.deepEqual([state, previous], ["paused", "warming_up"]);
    assert.equal(received.event.data["zeta"], 1.1);
  }
  if (received.known && received.event.type === "labware.moved") {
    const device: string | undefined = received.event.data.to?.device;
    assert.equal(device, "reader-2");
    // @ts-expect-error The data of this event has no sequence of that type.
    const wrong: number = received.event.data.barcode;
    assert.equal(wrong, "0012345");
  }
}
assert.equal(seen.size, 19);

for (const request of requests.refused) {
  assert.throws(() => open(request), WebhookVerificationError, request.name);
}
for (const request of requests.unreadable) {
  assert.throws(() => open(request), /must have required property 'run_id'/, request.name);
}

const counts = (["genuine", "refused", "unreadable"] as const).map(
  (kind) => `${requests[kind].length} ${kind}`,
);
console.log(`TypeScript: AsyncAPI document validated; signed requests: ${counts.join(", ")}`);
