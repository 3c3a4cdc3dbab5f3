// The tutorial stream with `app.use(compression())` and no call of `res.flush()`,
// so that a client which accepts an encoding waits for the compressor's buffer to fill.
const compression = require("compression");
const express = require("express");

const app = express();
app.use(compression());

const listeners = new Set();
let active = 0;

function head(res) {
  res.setHeader("Content-Type", "text/event-stream");
  res.setHeader("Cache-Control", "no-cache");
  res.setHeader("Connection", "keep-alive");
  res.flushHeaders();
  active += 1;
}

app.get("/stream", (req, res) => {
  head(res);

  let n = 0;
  const timer = setInterval(() => {
    n += 1;
    res.write(`data: ${JSON.stringify({ n, time: new Date() })}\n\n`);
  }, 200);

  req.on("close", () => {
    clearInterval(timer);
    active -= 1;
  });
});

app.get("/published", (req, res) => {
  head(res);
  listeners.add(res);
  req.on("close", () => {
    listeners.delete(res);
    active -= 1;
  });
});

app.post("/publish", express.json({ limit: "2mb" }), (req, res) => {
  for (const listener of listeners) listener.write(`data: ${req.body.data}\n\n`);
  res.sendStatus(204);
});

app.get("/active", (req, res) => res.json({ active }));

app.listen(process.env.PORT, "127.0.0.1");
