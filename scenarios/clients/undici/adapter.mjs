// The EventSource of undici.
import { EventSource } from "undici";
import { STANDARD, listen, serve, version } from "./protocol.mjs";

serve(
  { name: "undici", version: version("undici"), kind: "eventsource", can: [...STANDARD, "retry"] },
  (options, say) => {
    const node = options.retry === undefined ? {} : { reconnectionTime: options.retry };
    return listen(new EventSource(options.url, { node }), options, say);
  },
);
