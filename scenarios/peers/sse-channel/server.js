// sse-channel's README: a channel with a history, broadcast to all on Node's http.
const http = require("node:http");
const SseChannel = require("sse-channel");

const ticks = new SseChannel({ retryTimeout: 2000 });
const published = new SseChannel();

let n = 0;
setInterval(() => {
  n += 1;
  ticks.send({ id: n, event: "tick", data: `tick ${n}` });
}, 200);

const server = http.createServer(async (req, res) => {
  if (req.url.startsWith("/stream")) {
    ticks.addClient(req, res);
  } else if (req.url === "/published") {
    published.addClient(req, res);
  } else if (req.url === "/publish") {
    let body = "";
    req.setEncoding("utf8");
    for await (const part of req) body += part;
    try {
      published.send(JSON.parse(body));
    } catch (error) {
      res.writeHead(400).end(`${error}`);
      return;
    }
    res.writeHead(204).end();
  } else if (req.url === "/active") {
    res.end(
      JSON.stringify({ active: ticks.getConnectionCount() + published.getConnectionCount() }),
    );
  } else {
    res.writeHead(404).end();
  }
});

server.listen(process.env.PORT, "127.0.0.1");
