// The package extended-eventsource.
import { EventSource } from "extended-eventsource";
import { STANDARD, listen, serve, version } from "./protocol.mjs";

serve(
  {
    name: "extended-eventsource",
    version: version("extended-eventsource"),
    kind: "eventsource",
    can: [...STANDARD, "headers", "method", "body", "retry"],
  },
  (options, say) => {
    const { url, headers, method, body, retry } = options;
    const source = new EventSource(url, { headers, method, body, retry, disableLogger: true });
    return listen(source, options, say);
  },
);
