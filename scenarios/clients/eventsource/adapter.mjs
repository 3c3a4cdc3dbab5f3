// The package eventsource. Own headers go through its option `fetch`, as its documentation shows.
import { EventSource } from "eventsource";
import { STANDARD, listen, serve, version } from "./protocol.mjs";

serve(
  {
    name: "eventsource",
    version: version("eventsource"),
    kind: "eventsource",
    can: [...STANDARD, "headers"],
  },
  (options, say) => {
    const withHeaders = (url, init) =>
      fetch(url, { ...init, headers: { ...init.headers, ...options.headers } });
    return listen(new EventSource(options.url, { fetch: withHeaders }), options, say);
  },
);
