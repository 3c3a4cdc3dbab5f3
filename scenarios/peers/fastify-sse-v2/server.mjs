// fastify-sse-v2's README: an async generator, and `on` of an event emitter.
import { EventEmitter, on } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import Fastify from "fastify";
import { FastifySSEPlugin } from "fastify-sse-v2";

const server = Fastify();
server.register(FastifySSEPlugin);

const emitter = new EventEmitter();
emitter.setMaxListeners(0);
let active = 0;

server.get("/stream", (req, res) => {
  res.sse(
    (async function* source() {
      active += 1;
      try {
        for (let n = 1; ; n += 1) {
          yield { id: String(n), event: "tick", data: `tick ${n}` };
          await sleep(200);
        }
      } finally {
        active -= 1;
      }
    })(),
  );
});

server.get("/published", (req, res) => {
  res.sse(
    (async function* source() {
      active += 1;
      try {
        for await (const [event] of on(emitter, "update")) {
          yield event;
        }
      } finally {
        active -= 1;
      }
    })(),
  );
});

server.post("/publish", { bodyLimit: 2 ** 21 }, (req, res) => {
  emitter.emit("update", req.body);
  res.code(204).send();
});

server.get("/active", () => ({ active }));

server.listen({ port: Number(process.env.PORT), host: "127.0.0.1" });
