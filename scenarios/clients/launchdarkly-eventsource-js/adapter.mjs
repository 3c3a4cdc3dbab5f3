// The package launchdarkly-eventsource of npm.
import { EventSource } from "launchdarkly-eventsource";
import { STANDARD, listen, serve, version } from "./protocol.mjs";

serve(
  {
    name: "launchdarkly-eventsource",
    version: version("launchdarkly-eventsource"),
    kind: "resilient",
    can: [...STANDARD, "headers", "method", "body", "lastEventId", "retry", "readTimeout"],
    retriesOn: ["network", "end", "500", "502", "503", "504"],
  },
  (options, say) => {
    const headers = { ...options.headers };
    if (options.lastEventId) headers["Last-Event-ID"] = options.lastEventId;
    const { url, method, body, retry, readTimeout } = options;
    const more = { initialRetryDelayMillis: retry, readTimeoutMillis: readTimeout };
    const source = new EventSource(url, { headers, method, body, ...more });
    // The end of a response is an event of its own.
    source.onend = (event) => say.error(event);
    source.onclosed = () => say.closed();
    return listen(source, options, say);
  },
);
