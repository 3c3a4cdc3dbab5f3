// Node's own EventSource.
import { STANDARD, listen, serve } from "./protocol.mjs";

serve(
  { name: "node", version: process.versions.node, kind: "eventsource", can: STANDARD },
  (options, say) => listen(new EventSource(options.url), options, say),
);
