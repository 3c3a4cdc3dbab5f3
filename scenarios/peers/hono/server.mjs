// Hono's streaming helper: `streamSSE` with `writeSSE` in a loop, on Node.
import { serve } from "@hono/node-server";
import { Hono } from "hono";
import { streamSSE } from "hono/streaming";

const app = new Hono();
const streams = new Set();
let active = 0;

app.get("/stream", (c) =>
  streamSSE(c, async (stream) => {
    active += 1;
    try {
      let id = 0;
      while (!stream.aborted) {
        await stream.writeSSE({ data: `tick ${id}`, event: "tick", id: String(id++) });
        await stream.sleep(200);
      }
    } finally {
      active -= 1;
    }
  }),
);

app.get("/published", (c) =>
  streamSSE(c, async (stream) => {
    active += 1;
    streams.add(stream);
    await new Promise((resolve) => stream.onAbort(resolve));
    streams.delete(stream);
    active -= 1;
  }),
);

app.post("/publish", async (c) => {
  const event = await c.req.json();
  // A client that does not read, or has asked by HEAD, would block a publisher that waits for all.
  const written = Promise.all([...streams].map((stream) => stream.writeSSE(event)));
  try {
    await Promise.race([written, new Promise((resolve) => setTimeout(resolve, 100))]);
  } catch (error) {
    return c.text(`${error}`, 400);
  }
  return c.body(null, 204);
});

app.get("/active", (c) => c.json({ active }));

serve({ fetch: app.fetch, port: Number(process.env.PORT), hostname: "127.0.0.1" });
