import { serve } from "@hono/node-server";
import { Hono } from "hono";
import { streamSSE } from "hono/streaming";

const app = new Hono();
let alive = 0;
app.get("/", (c) =>
  streamSSE(c, async (stream) => {
    alive += 1;
    while (!stream.aborted) {
      await stream.writeSSE({ data: "hello" });
      await stream.sleep(100);
    }
    alive -= 1;
  }),
);
app.get("/alive", (c) => c.json({ alive }));
serve({ fetch: app.fetch, port: 8080, hostname: "127.0.0.1" });
