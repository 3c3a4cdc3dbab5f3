// h3's `createEventStream`, with a timer and `onClosed`, as its guide shows it.
import { createEventStream, H3, serve } from "h3";

const app = new H3();
const streams = new Set();
let active = 0;

app.get("/stream", (event) => {
  const stream = createEventStream(event);
  active += 1;

  let n = 0;
  const timer = setInterval(async () => {
    n += 1;
    await stream.push({ id: String(n), event: "tick", data: `tick ${n}` });
  }, 200);

  stream.onClosed(() => {
    clearInterval(timer);
    active -= 1;
  });
  return stream;
});

app.get("/published", (event) => {
  const stream = createEventStream(event);
  active += 1;
  streams.add(stream);
  stream.onClosed(() => {
    streams.delete(stream);
    active -= 1;
  });
  return stream;
});

app.post("/publish", async (event) => {
  const { comment, ...message } = await event.req.json();
  for (const stream of streams) {
    if (comment !== undefined) stream.pushComment(comment);
    stream.push(message);
  }
  event.res.status = 204;
  return null;
});

app.get("/active", () => ({ active }));

serve(app, { port: Number(process.env.PORT), hostname: "127.0.0.1" });
