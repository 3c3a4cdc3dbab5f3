import { createEventStream, H3, serve } from "h3";

const app = new H3();
app.get("/", (event) => {
  const stream = createEventStream(event);
  setTimeout(() => stream.push("hello"), 5000);
  return stream;
});
serve(app, { port: 8080, hostname: "127.0.0.1" });
