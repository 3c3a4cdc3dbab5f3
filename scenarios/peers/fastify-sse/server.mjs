// @fastify/sse's README: `reply.sse.send` with an async generator, and `keepAlive` with `onClose`.
import { setTimeout as sleep } from "node:timers/promises";
import sse from "@fastify/sse";
import Fastify from "fastify";

const server = Fastify();
await server.register(sse);

const replies = new Set();
let active = 0;

server.get("/stream", { sse: "only" }, async (request, reply) => {
  async function* generateEvents() {
    active += 1;
    try {
      for (let n = 1; ; n += 1) {
        yield { id: n, event: "tick", data: `tick ${n}` };
        await sleep(200);
      }
    } finally {
      active -= 1;
    }
  }
  await reply.sse.send(generateEvents());
});

server.get("/published", { sse: "only" }, async (request, reply) => {
  reply.sse.keepAlive();
  reply.sse.sendHeaders();
  replies.add(reply);
  active += 1;
  reply.sse.onClose(() => {
    replies.delete(reply);
    active -= 1;
  });
});

server.post("/publish", { bodyLimit: 2 ** 21 }, async (request, reply) => {
  const { data, ...rest } = request.body;
  // A plain string is the form of `send` that does not write JSON.
  const event = Object.keys(rest).length === 0 ? data : request.body;
  for (const one of replies) await one.sse.send(event);
  reply.code(204);
});

server.get("/active", () => ({ active }));

await server.listen({ port: Number(process.env.PORT), host: "127.0.0.1" });
