// npm's eventsource-parser, fed as its documentation says: with text from a TextDecoder.
import { createInterface } from "node:readline";
import { createParser } from "eventsource-parser";

function parse(chunks) {
  const answer = { events: [], lastEventId: "", retry: null };
  const parser = createParser({
    onEvent({ event, data, id }) {
      answer.lastEventId = id ?? answer.lastEventId;
      answer.events.push({ type: event ?? "message", data, lastEventId: answer.lastEventId });
    },
    onRetry(millis) { answer.retry = millis; },
  });
  const decoder = new TextDecoder();
  for (const chunk of chunks) parser.feed(decoder.decode(chunk, { stream: true }));
  // An id also counts without data, but this parser does not report it.
  delete answer.lastEventId;
  return answer;
}

for await (const line of createInterface({ input: process.stdin })) {
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
}
