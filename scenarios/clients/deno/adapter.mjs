// Deno's own EventSource.
import { STANDARD, listen, serve } from "./protocol.mjs";

serve(
  {
    name: "deno",
    version: Deno.version.deno,
    kind: "eventsource",
    can: [...STANDARD, "headers", "http2"],
  },
  (options, say) => listen(new EventSource(options.url, { headers: options.headers ?? {} }), options, say),
);
