// The server behind the proxies, which passes every rule: one stream for all with ids, a history,
// `retry`, immediate response headers, HEAD; producers stop when their client disconnects.
const http = require("node:http");

const KEPT = 1000;

class Channel {
  #clients = new Set();
  #history = [];
  #id = 0;

  send(data) {
    this.#id += 1;
    const lines = data.split(/\r\n|\r|\n/).map((line) => `data: ${line}\n`);
    const text = `id: ${this.#id}\n${lines.join("")}\n`;
    this.#history.push({ id: this.#id, text });
    if (this.#history.length > KEPT) this.#history.shift();
    for (const client of this.#clients) client.write(text);
  }

  take(req, res) {
    const last = req.headers["last-event-id"];
    res.write("retry: 2000\n\n");
    if (last !== undefined && /^\d+$/.test(last)) {
      for (const event of this.#history) if (event.id > Number(last)) res.write(event.text);
    }
    this.#clients.add(res);
    res.on("close", () => this.#clients.delete(res));
  }

  get size() {
    return this.#clients.size;
  }
}

const ticks = new Channel();
const published = new Channel();
let finite = 0;
let n = 0;
setInterval(() => {
  n += 1;
  ticks.send(`tick ${n} ${Date.now()} of the server that stands behind the proxies`);
}, 200);

const streams = {
  // A tick each 200 ms.
  "/stream": (req, res) => ticks.take(req, res),
  // Published events, and silence.
  "/published": (req, res) => published.take(req, res),
  // Five events, then the end.
  "/ending": (req, res) => {
    let left = 5;
    finite += 1;
    const timer = setInterval(() => {
      left -= 1;
      res.write(`data: ${left} left\n\n`);
      if (left === 0) res.end();
    }, 200);
    res.on("close", () => {
      clearInterval(timer);
      finite -= 1;
    });
  },
};

const server = http.createServer(async (req, res) => {
  const path = req.url.split("?")[0];
  if (path in streams && ["GET", "HEAD"].includes(req.method)) {
    res.writeHead(200, {
      "Content-Type": "text/event-stream",
      "Cache-Control": "no-cache, no-transform",
      "X-Peer": "upstream",
    });
    res.flushHeaders();
    if (req.method === "HEAD") res.end();
    else streams[path](req, res);
  } else if (path in streams) {
    res.writeHead(405, { Allow: "GET, HEAD" }).end();
  } else if (path === "/publish") {
    let body = "";
    req.setEncoding("utf8");
    for await (const part of req) body += part;
    published.send(body);
    res.writeHead(204).end();
  } else if (path === "/active") {
    res.setHeader("Cache-Control", "no-store");
    res.end(JSON.stringify({ active: ticks.size + published.size + finite }));
  } else {
    res.writeHead(404).end();
  }
});

server.listen(process.env.UPSTREAM_PORT, "127.0.0.1");
