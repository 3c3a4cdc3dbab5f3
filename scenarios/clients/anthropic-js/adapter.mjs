// The package @anthropic-ai/sdk, which reads the answer to one request.
import Anthropic from "@anthropic-ai/sdk";
import { read, serve, version } from "./protocol.mjs";

const messages = [{ role: "user", content: "hello" }];
const request = { model: "m", max_tokens: 100, messages, stream: true };

serve(
  {
    name: "@anthropic-ai/sdk",
    version: version("@anthropic-ai/sdk"),
    kind: "reader",
    can: ["types", "headers", "close", "closeOn", "error", "closed", "tls"],
  },
  ({ url, headers }, say) => {
    const client = new Anthropic({ baseURL: url, apiKey: "key", defaultHeaders: headers });
    const start = (signal) => client.messages.create(request, { signal });
    return read(say, start, (event) => ({ type: event.type, data: JSON.stringify(event) }));
  },
);
