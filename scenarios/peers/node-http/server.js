// The stream of most Node tutorials: three headers, a timer, and `res.write`.
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

server.listen(process.env.PORT, "127.0.0.1");
