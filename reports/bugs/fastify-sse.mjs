import sse from "@fastify/sse";
import Fastify from "fastify";

const server = Fastify();
await server.register(sse);
server.get("/event", { sse: "only" }, async (request, reply) => {
  await reply.sse.send({ event: request.query.text, data: "hello" });
});
server.get("/text", { sse: "only" }, async (request, reply) => {
  await reply.sse.send(request.query.text);
});
await server.listen({ port: 8080, host: "127.0.0.1" });
