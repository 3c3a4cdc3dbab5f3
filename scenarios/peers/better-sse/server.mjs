// A session per request, in the form of better-sse's own README.
import { createSession } from "better-sse";
import express from "express";

const app = express();

app.get("/stream", async (req, res) => {
  const session = await createSession(req, res);

  let n = 0;
  const timer = setInterval(() => {
    n += 1;
    session.push({ n }, "message");
  }, 200);

  session.on("disconnected", () => clearInterval(timer));
});

app.listen(process.env.PORT, "127.0.0.1");
