// aimock's README: one mock for the APIs of several providers, with slow chunks.
import { LLMock } from "@copilotkit/aimock";

const mock = new LLMock({ port: Number(process.env.PORT), latency: 50, chunkSize: 7 });
mock.onMessage(/./, { content: "Grüße aus Köln 👩‍🚀: one two three four five six seven." });
await mock.start();
