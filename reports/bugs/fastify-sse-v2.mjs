import { setTimeout as sleep } from "node:timers/promises";
import Fastify from "fastify";
import { FastifySSEPlugin } from "fastify-sse-v2";

const server = Fastify();
server.register(FastifySSEPlugin);
let alive = 0;
server.get("/", (request, reply) => {
  reply.sse(
    (async function* () {
      alive += 1;
      try {
        for (let n = 0; ; n += 1, await sleep(100)) yield { data: String(n) };
      } finally {
        alive -= 1;
      }
    })(),
  );
});
server.get("/alive", () => ({ alive }));
await server.listen({ port: 8080, host: "127.0.0.1" });
