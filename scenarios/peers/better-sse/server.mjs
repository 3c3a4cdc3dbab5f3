// A session per request and a channel, in the form of better-sse's own README.
import { createChannel, createSession } from "better-sse";
import express from "express";

const app = express();
const channel = createChannel();
let active = 0;

app.get("/stream", async (req, res) => {
  const session = await createSession(req, res);
  active += 1;

  let n = 0;
  const timer = setInterval(() => {
    n += 1;
    session.push({ n }, "message");
  }, 200);

  session.on("disconnected", () => {
    active -= 1;
    clearInterval(timer);
  });
});

app.get("/published", async (req, res) => {
  const session = await createSession(req, res);
  channel.register(session);
});

app.post("/publish", express.json({ limit: "2mb" }), (req, res) => {
  const { data, event, id } = req.body;
  channel.broadcast(data, event, { eventId: id });
  res.sendStatus(204);
});

app.get("/active", (req, res) => res.json({ active: active + channel.sessionCount }));

app.listen(process.env.PORT, "127.0.0.1");
