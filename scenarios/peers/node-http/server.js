// The stream of most Node tutorials: three headers, a timer, and `res.write`.
const http = require("node:http");

const listeners = new Set();
let active = 0;

function head(req, res) {
  res.writeHead(200, {
    "Content-Type": "text/event-stream",
    "Cache-Control": "no-cache",
    Connection: "keep-alive",
  });
  active += 1;
}

const server = http.createServer(async (req, res) => {
  if (req.url === "/stream") {
    head(req, res);

    let n = 0;
    const timer = setInterval(() => {
      n += 1;
      res.write(`data: ${JSON.stringify({ n, time: new Date() })}\n\n`);
    }, 200);

    req.on("close", () => {
      clearInterval(timer);
      active -= 1;
    });
  } else if (req.url === "/published") {
    head(req, res);
    listeners.add(res);
    req.on("close", () => {
      listeners.delete(res);
      active -= 1;
    });
  } else if (req.url === "/publish") {
    let body = "";
    req.setEncoding("utf8");
    for await (const part of req) body += part;
    for (const listener of listeners) listener.write(`data: ${body}\n\n`);
    res.writeHead(204).end();
  } else if (req.url === "/active") {
    res.end(JSON.stringify({ active }));
  } else {
    res.writeHead(404);
    res.end();
  }
});

server.listen(process.env.PORT, "127.0.0.1");
