// The package eventsource in its version 2, on top of node:http.
import EventSource from "eventsource";
import { STANDARD, listen, serve, version } from "./protocol.mjs";

serve(
  {
    name: "eventsource",
    version: version("eventsource"),
    kind: "eventsource",
    can: [...STANDARD, "headers", "lastEventId"],
  },
  (options, say) => {
    const headers = { ...options.headers };
    if (options.lastEventId) headers["Last-Event-ID"] = options.lastEventId;
    // Without options, it verifies certificates.
    const init = Object.keys(headers).length > 0 ? { headers } : undefined;
    return listen(new EventSource(options.url, init), options, say);
  },
);
