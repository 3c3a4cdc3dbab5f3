// The protocol of `sseproof check-client` (specs/client-protocol.md): the part that all adapters in
// JavaScript share.
import { readFileSync } from "node:fs";
import process from "node:process";
import { createInterface } from "node:readline";

/** The names in `can` of a client with the API of the standard. */
export const STANDARD = [
  "types", "close", "closeOn", "open", "error", "closed", "state", "lastEventId.event", "tls",
];

/** The version of a package that is installed beside the adapter. */
export function version(name) {
  const file = new URL(`node_modules/${name}/package.json`, import.meta.url);
  return JSON.parse(readFileSync(file, "utf8")).version;
}

/**
 * Says hello and obeys the commands. `connect(options, say)` opens a connection and returns the
 * client: its `close()`, and its `readyState` if it has one.
 */
export function serve(hello, connect) {
  write({ hello });
  const connections = new Map();
  createInterface({ input: process.stdin })
    .on("line", (line) => {
      const { id, connect: options, close } = JSON.parse(line);
      if (options) {
        connections.set(id, new Connection(id, options));
        connections.get(id).start(options, connect);
      }
      if (close) connections.get(id).close();
    })
    .on("close", () => process.exit());
}

/** Writes what the handlers of one `EventSource` are called with, and returns it. */
export function listen(source, { types = [] }, say) {
  // An event of the stream can have the type `open` or `error`: it has data, the others have not.
  const handle = (event) => {
    if (typeof event.data === "string") say.event(event);
    else if (event.type === "open") say.open();
    else say.error(event);
  };
  for (const type of new Set(["message", "open", "error", ...types])) source.addEventListener(type, handle);
  return source;
}

/** Reads an async iterable to its end, as a program does; `event` makes an event of what it yields. */
export function read(say, start, event) {
  const controller = new AbortController();
  const whole = async () => {
    for await (const yielded of await start(controller.signal)) say.event(event(yielded));
  };
  whole().catch((error) => say.error(error)).finally(() => say.closed());
  return { close: () => controller.abort() };
}

/** One connection: its handlers, each of which writes one message. */
class Connection {
  #events = 0;
  #errors = 0;
  #isClosed = false;

  constructor(id, { closeOn = {} }) {
    Object.assign(this, { id, closeOn, client: undefined });
  }

  start(options, connect) {
    try {
      this.client = connect(options, this);
    } catch (error) {
      this.error(error);
      this.closed();
    }
  }

  open() {
    this.#write({ open: this.#state() });
  }

  event({ type, data, lastEventId }) {
    this.#write({ event: { type, data, lastEventId } });
    if (++this.#events === this.closeOn.event) this.close();
  }

  comment(text) {
    this.#write({ comment: text });
  }

  error(error) {
    const numbers = [error.status, error.code, error.response?.status];
    const status = numbers.find((number) => number >= 100);
    const state = this.#state();
    this.#write({ error: { message: String(error.message ?? error.type ?? error), status, ...state } });
    if (++this.#errors === this.closeOn.error) this.close();
    else if (state.state === "closed") this.closed();
  }

  closed() {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#write({ closed: this.#state() });
  }

  close() {
    this.client?.close();
    this.closed();
  }

  #state() {
    const state = this.client?.readyState;
    return { state: ["connecting", "open", "closed"][state] ?? state };
  }

  #write(message) {
    write({ id: this.id, ...message });
  }
}

function write(message) {
  process.stdout.write(`${JSON.stringify(message)}\n`);
}
