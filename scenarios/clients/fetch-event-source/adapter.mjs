// The package @microsoft/fetch-event-source, which expects the names of a browser. It has no `onopen`
// here, since that would replace its own check of the response.
globalThis.window = globalThis;
globalThis.document = { hidden: false, addEventListener() {}, removeEventListener() {} };
const { fetchEventSource } = await import("@microsoft/fetch-event-source");
const { serve, version } = await import("./protocol.mjs");

const name = "@microsoft/fetch-event-source";
const can = ["types", "headers", "method", "body", "close", "closeOn", "error", "closed"];

serve(
  { name, version: version(name), kind: "resilient", can: [...can, "tls"], retriesOn: ["network", "status"] },
  ({ url, headers, method, body }, say) => {
    const controller = new AbortController();
    fetchEventSource(url, {
      headers, method, body, signal: controller.signal, openWhenHidden: true,
      onmessage: ({ event, data }) => say.event({ type: event || "message", data }),
      onerror: (error) => say.error(error),
      onclose: () => say.closed(),
    });
    return { close: () => controller.abort() };
  },
);
