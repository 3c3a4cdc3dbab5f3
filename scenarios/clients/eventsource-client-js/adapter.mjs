// The package eventsource-client of npm.
import { createEventSource } from "eventsource-client";
import { serve, version } from "./protocol.mjs";

const can = ["types", "headers", "method", "body", "lastEventId", "close", "closeOn", "open", "error"];

serve(
  {
    name: "eventsource-client",
    version: version("eventsource-client"),
    kind: "resilient",
    can: [...can, "closed", "comment", "state", "lastEventId.event", "tls"],
    retriesOn: ["network", "end"],
  },
  ({ url, headers, method, body, lastEventId }, say) => {
    const client = createEventSource({
      url, headers, method, body, initialLastEventId: lastEventId,
      onConnect: () => say.open(),
      onMessage: ({ event, data }) => say.event({ type: event, data, lastEventId: client.lastEventId ?? "" }),
      onComment: (text) => say.comment(text),
      onScheduleReconnect: ({ delay }) => say.error({ message: `reconnects in ${delay} ms` }),
    });
    return client;
  },
);
