// Closes the EventSource of this package, or of the runtime, in the handler of the first event.
// The server sends three events in one piece.
const { EventSource, default: Old } = process.argv[2] ? await import(process.argv[2]) : globalThis;

const source = new (EventSource ?? Old)("http://127.0.0.1:8080/");
source.addEventListener("message", ({ data }) => {
  console.log("event", data, "in the state", source.readyState);
  source.close();
});
setTimeout(() => process.exit(), 1000);
