import { InMemoryEventStore } from "@modelcontextprotocol/sdk/examples/shared/inMemoryEventStore.js";

let lost = 0;
const rounds = 1000;
for (let round = 0; round < rounds; round += 1) {
  const store = new InMemoryEventStore();
  const first = await store.storeEvent("stream", { n: 1 });
  await store.storeEvent("stream", { n: 2 });
  const sent = [];
  await store.replayEventsAfter(first, { send: async (_, message) => sent.push(message.n) });
  if (sent.length === 0) lost += 1;
}
console.log(`${lost} of ${rounds} times the second event was not replayed`);
