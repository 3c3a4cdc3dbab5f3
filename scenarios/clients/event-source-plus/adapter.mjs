// The package event-source-plus.
import { EventSourcePlus } from "event-source-plus";
import { serve, version } from "./protocol.mjs";

const can = ["types", "headers", "method", "body", "close", "closeOn", "error", "closed"];

serve(
  {
    name: "event-source-plus",
    version: version("event-source-plus"),
    kind: "resilient",
    can: [...can, "tls"],
    retriesOn: ["network", "end", "status"],
  },
  ({ url, headers, method, body }, say) => {
    const controller = new EventSourcePlus(url, { headers, method, body }).listen({
      onMessage: ({ event, data }) => say.event({ type: event, data }),
      onRequestError: ({ error }) => say.error(error),
      onResponseError: ({ error, response }) => say.error({ message: error.message, response }),
    });
    controller.onAbort(() => say.closed());
    return { close: () => controller.abort() };
  },
);
