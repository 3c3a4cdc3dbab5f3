import { createServer } from "node:http";
import { createSession } from "better-sse";

createServer(async (req, res) => {
  const room = new URL(req.url, "http://localhost").searchParams.get("room");
  const session = await createSession(req, res);
  session.push("hello", room);
}).listen(8080, "127.0.0.1");
