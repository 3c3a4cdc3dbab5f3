// Node's own HTTP/2 server, as its documentation has it: TLS, and HTTP/1.1 for clients without
// HTTP/2, through the same handler.
const fs = require("node:fs");
const http2 = require("node:http2");

const listeners = new Set();
let active = 0;

function head(req, res) {
  // Connection: keep-alive, which tutorials write here, is forbidden in HTTP/2.
  res.writeHead(200, {
    "Content-Type": "text/event-stream",
    "Cache-Control": "no-cache",
  });
  res.write(": welcome\n\n");
  active += 1;
}

const server = http2.createSecureServer({
  key: fs.readFileSync("key.pem"),
  cert: fs.readFileSync("cert.pem"),
  allowHTTP1: true,
});

server.on("request", async (req, res) => {
  if (req.url === "/stream") {
    head(req, res);
    let n = 0;
    const timer = setInterval(() => {
      n += 1;
      res.write(`data: ${JSON.stringify({ n, time: new Date() })}\n\n`);
    }, 200);
    res.on("close", () => {
      clearInterval(timer);
      active -= 1;
    });
  } else if (req.url === "/published") {
    head(req, res);
    listeners.add(res);
    res.on("close", () => {
      listeners.delete(res);
      active -= 1;
    });
  } else if (req.url === "/publish") {
    let body = "";
    req.setEncoding("utf8");
    for await (const part of req) body += part;
    const lines = body.split(/\r\n|\r|\n/).map((line) => `data: ${line}\n`);
    for (const listener of listeners) listener.write(`${lines.join("")}\n`);
    res.writeHead(204);
    res.end();
  } else if (req.url === "/active") {
    res.end(JSON.stringify({ active }));
  } else {
    res.writeHead(404);
    res.end();
  }
});

server.listen(process.env.PORT, "127.0.0.1");
