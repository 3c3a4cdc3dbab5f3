// express-sse's README: one `SSE` for all clients, `sse.init` as the handler.
const express = require("express");
const SSE = require("express-sse");

const app = express();
const ticks = new SSE();
const published = new SSE();

app.get("/stream", ticks.init);
app.get("/published", published.init);

let n = 0;
setInterval(() => {
  n += 1;
  ticks.send({ n }, "tick");
}, 200);

app.post("/publish", express.json({ limit: "2mb" }), (req, res) => {
  const { data, event, id } = req.body;
  published.send(data, event, id);
  res.sendStatus(204);
});

// Each client is a listener of the emitter.
app.get("/active", (req, res) =>
  res.json({ active: ticks.listenerCount("data") + published.listenerCount("data") }),
);

app.listen(process.env.PORT, "127.0.0.1");
