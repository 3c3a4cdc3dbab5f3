// The tutorial stream behind `app.use(compression())`: nobody calls `res.flush()`,
// so that a client which accepts an encoding waits for the compressor's buffer to fill.
const compression = require("compression");
const express = require("express");

const app = express();
app.use(compression());

app.get("/stream", (req, res) => {
  res.setHeader("Content-Type", "text/event-stream");
  res.setHeader("Cache-Control", "no-cache");
  res.setHeader("Connection", "keep-alive");
  res.flushHeaders();

  let n = 0;
  const timer = setInterval(() => {
    n += 1;
    res.write(`data: ${JSON.stringify({ n, time: new Date() })}\n\n`);
  }, 200);

  req.on("close", () => clearInterval(timer));
});

app.listen(process.env.PORT, "127.0.0.1");
