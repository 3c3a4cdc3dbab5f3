// Node's `http` for event streams, as most tutorials have it, and the broadcast of ws's README.
const http = require("node:http");
const { WebSocket, WebSocketServer } = require("ws");

const streams = new Set();

const server = http.createServer(async (req, res) => {
  if (req.url === "/events") {
    res.writeHead(200, {
      "Content-Type": "text/event-stream",
      "Cache-Control": "no-cache",
      Connection: "keep-alive",
    });
    res.flushHeaders();
    streams.add(res);
    req.on("close", () => streams.delete(res));
  } else if (req.method === "POST" && req.url === "/publish") {
    let text = "";
    req.setEncoding("utf8");
    for await (const part of req) text += part;
    const event = `data: ${text}\n\n`;
    for (const stream of streams) stream.write(event);
    for (const socket of sockets.clients) {
      if (socket.readyState === WebSocket.OPEN) socket.send(text);
    }
    res.writeHead(204).end();
  } else {
    res.writeHead(404).end();
  }
});

const sockets = new WebSocketServer({ server, path: "/ws" });
sockets.on("connection", (socket) => socket.on("error", console.error));

server.listen(process.env.PORT, "127.0.0.1");
