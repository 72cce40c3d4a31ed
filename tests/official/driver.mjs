// Drives one library for `tests/it/official`: a request and an answer are each a line of JSON.
//
// The first line that it writes is the installed version. A refusal is any exception of a library.

import { createHmac } from "node:crypto";
import { readFileSync } from "node:fs";

const hmac = (secret, encoding, ...parts) =>
  parts.reduce((mac, part) => mac.update(part), createHmac("sha256", secret)).digest(encoding);

const require_ = (condition) => {
  if (!condition) throw new Error("not valid");
};

/** Also `svix`, which has the same two methods. */
const standardWebhooks = (Webhook, options) => ({
  verify(secrets, headers, body) {
    try {
      new Webhook(secrets[0]).verify(body, headers, options);
    } catch (error) {
      // `svix` parses the body as JSON, after a signature matched.
      if (!(error instanceof SyntaxError)) throw error;
    }
  },
  sign(secrets, id, timestamp, body) {
    const at = new Date(timestamp * 1000);
    const signatures = secrets.map((secret) => new Webhook(secret).sign(id, at, body));
    return {
      "webhook-id": id,
      "webhook-timestamp": String(timestamp),
      "webhook-signature": signatures.join(" "),
    };
  },
});

const LIBRARIES = {
  standardwebhooks: async () => {
    const { Webhook } = await import("standardwebhooks");
    // Bodies are not always JSON.
    return standardWebhooks(Webhook, { jsonParse: false });
  },

  svix: async () => standardWebhooks((await import("svix")).Webhook),

  stripe: async () => {
    const { webhooks } = (await import("stripe")).default;
    return {
      verify(secrets, headers, body) {
        const header = headers["stripe-signature"];
        webhooks.signature.verifyHeader(body, header, secrets[0], webhooks.DEFAULT_TOLERANCE);
      },
      sign(secrets, _id, timestamp, body) {
        const payload = body.toString();
        const headers = secrets.map((secret) =>
          webhooks.generateTestHeaderString({ payload, secret, timestamp }),
        );
        // The first has the time, and each a signature.
        const others = headers.slice(1).map((header) => header.slice(header.indexOf(",") + 1));
        return { "stripe-signature": [headers[0], ...others].join(",") };
      },
    };
  },

  "@octokit/webhooks-methods": async () => {
    const { sign, verifyWithFallback } = await import("@octokit/webhooks-methods");
    return {
      async verify([secret, ...others], headers, body) {
        const signature = headers["x-hub-signature-256"];
        require_(await verifyWithFallback(secret, body.toString(), signature, others));
      },
      async sign([secret], _id, _timestamp, body) {
        return { "x-hub-signature-256": await sign(secret, body.toString()) };
      },
    };
  },

  "@slack/bolt": async () => {
    const { HTTPModuleFunctions } = await import("@slack/bolt");
    return {
      async verify([signingSecret], headers, body) {
        const request = { headers, rawBody: body };
        await HTTPModuleFunctions.parseAndVerifyHTTPRequest({ signingSecret }, request);
      },
      // Bolt cannot sign: as on Slack's page "Verifying requests from Slack".
      sign([secret], _id, timestamp, body) {
        const signature = hmac(secret, "hex", `v0:${timestamp}:`, body);
        return {
          "x-slack-request-timestamp": String(timestamp),
          "x-slack-signature": `v0=${signature}`,
        };
      },
    };
  },

  "@line/bot-sdk": async () => {
    const { validateSignature } = await import("@line/bot-sdk");
    return {
      verify([secret], headers, body) {
        require_(validateSignature(body, secret, headers["x-line-signature"]));
      },
      // LINE's SDK cannot sign: as on LINE's page "Verify webhook signature".
      sign([secret], _id, _timestamp, body) {
        return { "x-line-signature": hmac(secret, "base64", body) };
      },
    };
  },

  cloudevents: async () => {
    const { CloudEvent, HTTP } = await import("cloudevents");
    return {
      read(headers, body) {
        const event = HTTP.toEvent({ headers, body: body.toString() });
        require_(event.validate());
        const { data, data_base64, ...attributes } = event;
        // It leaves the percent-encoding of binary mode in them.
        const decode = ([name, value]) => {
          const isEncoded = `ce-${name}` in headers;
          return [name, isEncoded ? decodeURIComponent(value) : value];
        };
        const decoded = Object.fromEntries(Object.entries(attributes).map(decode));
        return { attributes, decoded, data, data_base64 };
      },
      write(mode, attributes, data, data_base64) {
        const bytes = data_base64 && new Uint8Array(Buffer.from(data_base64, "base64"));
        const event = new CloudEvent({ ...attributes, data: bytes ?? data });
        const message = mode === "binary" ? HTTP.binary(event) : HTTP.structured(event);
        const { body = "" } = message;
        // As an HTTP client does.
        const texts = Object.entries(message.headers).map(([name, value]) => [name, String(value)]);
        return [Object.fromEntries(texts), Buffer.from(body)];
      },
    };
  },
};

const refusal = (error) => ({
  accepted: false,
  why: `${error?.name}: ${error?.message}`.slice(0, 200),
});

const REAL_CLOCK = Date.now;

async function answer(library, request) {
  const body = Buffer.from(request.body ?? "", "base64");
  switch (request.op) {
    case "verify":
      // These libraries read the clock.
      Date.now = () => request.now * 1000;
      try {
        await library.verify(request.secrets, request.headers, body);
        return { accepted: true };
      } catch (error) {
        return refusal(error);
      } finally {
        Date.now = REAL_CLOCK;
      }
    case "sign": {
      const { secrets, id, timestamp } = request;
      return { headers: await library.sign(secrets, id, timestamp, body) };
    }
    case "read":
      try {
        return { accepted: true, ...library.read(request.headers, body) };
      } catch (error) {
        return refusal(error);
      }
    case "write": {
      const { mode, attributes, data, data_base64 } = request;
      const [headers, written] = library.write(mode, attributes, data, data_base64);
      return { headers, body: written.toString("base64") };
    }
    default:
      throw new Error(`no operation ${request.op}`);
  }
}

/** Lines as they end in JSON Lines: `node:readline` also ends them at U+2028. */
async function* lines(stream) {
  let rest = "";
  for await (const chunk of stream.setEncoding("utf8")) {
    const parts = (rest + chunk).split("\n");
    rest = parts.pop();
    yield* parts;
  }
}

const name = process.argv[2];
const library = await LIBRARIES[name]();
const manifest = new URL(`node_modules/${name}/package.json`, import.meta.url);
console.log(JSON.stringify({ version: JSON.parse(readFileSync(manifest, "utf8")).version }));
for await (const line of lines(process.stdin)) {
  console.log(JSON.stringify(await answer(library, JSON.parse(line))));
}
