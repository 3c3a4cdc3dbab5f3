// Right: HTTP/2 without TLS, and each connection is drained by a graceful GOAWAY after its second stream. Open
// streams go on; a client that needs a third one has to open another connection.
const http2 = require('http2');
let n = 0; const open = new Set();
setInterval(() => { n++; for (const s of open) s.write(`id: ${n}\ndata: tick ${n}\n\n`); }, 100);
http2.createServer().on('session', session => {
  let streams = 0;
  session.on('stream', (stream, h) => {
    stream.on('error', () => {});
    if (++streams === 2) session.goaway(0, stream.id);
    if (streams > 2) return stream.close(7);
    if (h[':path'] !== '/events') { stream.respond({ ':status': 404 }); return stream.end(); }
    if (!['GET', 'HEAD'].includes(h[':method'])) { stream.respond({ ':status': 405, allow: 'GET, HEAD' }); return stream.end(); }
    stream.respond({ ':status': 200, 'content-type': 'text/event-stream', 'cache-control': 'no-cache, no-transform', 'x-accel-buffering': 'no' });
    if (h[':method'] === 'HEAD') return stream.end();
    open.add(stream);
    stream.on('close', () => open.delete(stream));
  });
}).listen(Number(process.argv[2]), '127.0.0.1');
