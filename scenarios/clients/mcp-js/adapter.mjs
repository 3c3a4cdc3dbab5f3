// The transport StreamableHTTP of @modelcontextprotocol/sdk: the stream that it opens with GET.
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { serve, version } from "./protocol.mjs";

const name = "@modelcontextprotocol/sdk";
const can = ["headers", "lastEventId", "close", "closeOn", "error", "closed", "tls"];
const policy = { maxReconnectionDelay: 30000, reconnectionDelayGrowFactor: 1.5, maxRetries: 2 };

serve(
  { name, version: version(name), kind: "resilient", can: [...can, "retry"], retriesOn: ["network", "end", "status"] },
  ({ url, headers, lastEventId, retry }, say) => {
    const reconnectionOptions = retry && { ...policy, initialReconnectionDelay: retry };
    const options = { requestInit: { headers }, reconnectionOptions };
    const transport = new StreamableHTTPClientTransport(new URL(url), options);
    transport.onmessage = (message) => say.event({ data: JSON.stringify(message) });
    transport.onerror = (error) => say.error(error);
    transport.onclose = () => say.closed();
    // Each exception has been given to `onerror`.
    transport.start().then(() => transport.resumeStream(lastEventId)).catch(() => say.closed());
    return { close: () => transport.close() };
  },
);
