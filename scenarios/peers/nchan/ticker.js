// Publishes a tick each 200 ms into the channel `ticks`.
let n = 0;
setInterval(() => {
  n += 1;
  fetch(`http://127.0.0.1:${process.env.PORT}/tick`, {
    method: "POST",
    headers: { "X-EventSource-Event": "tick" },
    body: `tick ${n}`,
  }).then(
    (answer) => answer.arrayBuffer(),
    () => {}, // nginx may not be there yet
  );
}, 200);
