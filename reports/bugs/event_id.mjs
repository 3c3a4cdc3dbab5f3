// Prints what the EventSource of this package, or of the runtime, does in ten seconds.
// The server sends the id 番号-7, which no header of Latin-1 can have, and ends the stream.
const { EventSource, default: Old } = process.argv[2] ? await import(process.argv[2]) : globalThis;

const source = new (EventSource ?? Old)("http://127.0.0.1:8080/");
for (const type of ["open", "message", "error"]) {
  source.addEventListener(type, ({ data }) => console.log(type, data ?? ""));
}
setTimeout(() => process.exit(), 10_000);
