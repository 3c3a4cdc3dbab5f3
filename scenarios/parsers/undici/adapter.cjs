// The decoder of Node's own EventSource, from the package that Node bundles.
const { createInterface } = require("node:readline");
const path = require("node:path");
const root = path.dirname(require.resolve("undici/package.json"));
const { EventSourceStream } = require(path.join(root, "lib/web/eventsource/eventsource-stream.js"));

function parse(chunks) {
  const events = [];
  const state = { origin: "", lastEventId: "", reconnectionTime: null };
  const push = ({ type, options: { data, lastEventId } }) => events.push({ type, data, lastEventId });
  const decoder = new EventSourceStream({ eventSourceSettings: state, push });
  const done = (error) => { if (error) throw error; };
  for (const chunk of chunks) decoder._transform(chunk, "buffer", done);
  return { events, lastEventId: state.lastEventId, retry: state.reconnectionTime };
}

createInterface({ input: process.stdin }).on("line", (line) => {
  const { id, chunks } = JSON.parse(line);
  const bytes = chunks.map((chunk) => Buffer.from(chunk, "base64"));
  let answer;
  try {
    const began = process.hrtime.bigint();
    answer = { ...parse(bytes), nanos: Number(process.hrtime.bigint() - began) };
  } catch (error) {
    answer = { error: String(error) };
  }
  console.log(JSON.stringify({ id, ...answer }));
});
