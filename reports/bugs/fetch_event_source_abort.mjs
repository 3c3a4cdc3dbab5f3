// A server that cuts each stream, and a program that aborts at the first error.
import { createServer } from "node:http";

globalThis.window = globalThis;
globalThis.document = { hidden: false, addEventListener() {}, removeEventListener() {} };
const { fetchEventSource } = await import("@microsoft/fetch-event-source");

let requests = 0;
const server = createServer((request, response) => {
  requests += 1;
  response.writeHead(200, { "Content-Type": "text/event-stream" });
  response.write("retry: 50\ndata: one\n\n");
  setTimeout(() => response.destroy(), 20);
});
server.listen(0, "127.0.0.1", () => {
  const controller = new AbortController();
  let atAbort;
  fetchEventSource(`http://127.0.0.1:${server.address().port}/`, {
    signal: controller.signal,
    openWhenHidden: true,
    onerror() {
      if (atAbort !== undefined) return;
      atAbort = requests;
      controller.abort();
      console.log(`aborted after ${requests} request`);
    },
  });
  setTimeout(() => {
    console.log(`requests in the two seconds after that: ${requests - atAbort}`);
    process.exit();
  }, 2000);
});
