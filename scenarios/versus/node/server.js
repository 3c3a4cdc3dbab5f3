// Node's `http` for event streams, as most tutorials have it, and the broadcast of ws's README.
const fs = require("node:fs");
const http = require("node:http");
const http2 = require("node:http2");
const zlib = require("node:zlib");
const { WebSocket, WebSocketServer } = require("ws");

const { CERT, COMPRESS, KEY, PORT } = process.env;
const streams = new Set();

async function answer(req, res) {
  if (req.url === "/events") {
    const headers = { "Content-Type": "text/event-stream", "Cache-Control": "no-cache" };
    if (COMPRESS) headers["Content-Encoding"] = "gzip";
    res.writeHead(200, headers);
    res.flushHeaders();
    const stream = COMPRESS ? zlib.createGzip() : res;
    if (COMPRESS) stream.pipe(res);
    streams.add(stream);
    res.on("close", () => streams.delete(stream));
  } else if (req.method === "POST" && req.url === "/publish") {
    let text = "";
    req.setEncoding("utf8");
    for await (const part of req) text += part;
    const event = `data: ${text}\n\n`;
    for (const stream of streams) {
      stream.write(event);
      if (COMPRESS) stream.flush(zlib.constants.Z_SYNC_FLUSH);
    }
    for (const socket of sockets.clients) {
      if (socket.readyState === WebSocket.OPEN) socket.send(text);
    }
    res.writeHead(204).end();
  } else {
    res.writeHead(404).end();
  }
}

// With TLS also HTTP/2, for clients that ask for it.
const server = CERT
  ? http2.createSecureServer(
      { cert: fs.readFileSync(CERT), key: fs.readFileSync(KEY), allowHTTP1: true },
      answer,
    )
  : http.createServer(answer);
const sockets = new WebSocketServer({ server, path: "/ws", perMessageDeflate: Boolean(COMPRESS) });
sockets.on("connection", (socket) => socket.on("error", console.error));

server.listen(PORT, "127.0.0.1");
