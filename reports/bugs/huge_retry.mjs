// Counts the connections of the EventSource of this package, or of the runtime, in five seconds.
// The server announces `retry: 2147483648` and ends the stream, six times.
const { EventSource } = process.argv[2] ? await import(process.argv[2]) : globalThis;

const started = Date.now();
new EventSource("http://127.0.0.1:8080/0").onopen = () => console.log(`open after ${Date.now() - started} ms`);
setTimeout(() => process.exit(), 5000);
