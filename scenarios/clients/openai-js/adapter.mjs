// The package openai of npm, which reads the answer to one request.
import OpenAI from "openai";
import { read, serve, version } from "./protocol.mjs";

const request = { model: "m", messages: [{ role: "user", content: "hello" }], stream: true };

serve(
  {
    name: "openai",
    version: version("openai"),
    kind: "reader",
    can: ["headers", "close", "closeOn", "error", "closed", "tls"],
  },
  ({ url, headers }, say) => {
    const client = new OpenAI({ baseURL: url, apiKey: "key", defaultHeaders: headers });
    const start = (signal) => client.chat.completions.create(request, { signal });
    return read(say, start, (chunk) => ({ data: JSON.stringify(chunk) }));
  },
);
