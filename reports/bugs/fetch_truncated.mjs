// Reads a chunked response that its server cuts, with and without `Connection: close`.
import { createServer } from "node:net";

const fetch = process.argv[2] ? (await import(process.argv[2])).fetch : globalThis.fetch;
for (const connection of ["keep-alive", "close"]) {
  const server = createServer((socket) => socket.once("data", () => socket.end(
    `HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: ${connection}\r\n` +
    "Transfer-Encoding: chunked\r\n\r\nb\r\ndata: one\n\n\r\n", // and no last chunk
  )));
  await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
  await fetch(`http://127.0.0.1:${server.address().port}/`).then((response) => response.text()).then(
    (text) => console.log(connection, "complete:", JSON.stringify(text)),
    (error) => console.log(connection, "error:", error.message),
  );
  server.close();
}
