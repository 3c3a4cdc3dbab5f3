// What stands behind nginx: the same tutorial stream as the peer node-http, on a Unix socket.
const http = require("node:http");

const server = http.createServer((req, res) => {
  if (req.url !== "/stream") {
    res.writeHead(404);
    res.end();
    return;
  }

  res.writeHead(200, {
    "Content-Type": "text/event-stream",
    "Cache-Control": "no-cache",
    Connection: "keep-alive",
  });

  let n = 0;
  const timer = setInterval(() => {
    n += 1;
    res.write(`data: ${JSON.stringify({ n, time: new Date() })}\n\n`);
  }, 200);

  req.on("close", () => clearInterval(timer));
});

server.listen("upstream.sock");
