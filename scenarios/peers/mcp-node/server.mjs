// A tool that reports its progress, on the MCP TypeScript SDK over streamable HTTP with sessions and
// resumption, in the form of the SDK's own examples.
import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { createMcpExpressApp } from "@modelcontextprotocol/sdk/server/express.js";
import { McpServer } from "@modelcontextprotocol/sdk/server/mcp.js";
import { StreamableHTTPServerTransport } from "@modelcontextprotocol/sdk/server/streamableHttp.js";
import { isInitializeRequest } from "@modelcontextprotocol/sdk/types.js";
import { z } from "zod";

const app = createMcpExpressApp();
const transports = new Map();

// Keeps every event, in the order in which it came.
class Memory {
  events = [];
  async storeEvent(streamId, message) {
    return `${streamId}_${this.events.push({ streamId, message })}`;
  }
  async getStreamIdForEventId(eventId) {
    return this.events[Number(eventId.split("_")[1]) - 1]?.streamId;
  }
  async replayEventsAfter(lastEventId, { send }) {
    const last = Number(lastEventId.split("_")[1]);
    const streamId = this.events[last - 1]?.streamId;
    for (let n = last; n < this.events.length; n += 1) {
      if (this.events[n].streamId === streamId) {
        await send(`${streamId}_${n + 1}`, this.events[n].message);
      }
    }
    return streamId;
  }
}

function createServer() {
  const server = new McpServer({ name: "peer", version: "1.0.0" });
  server.registerTool(
    "count",
    { description: "Counts, a step each 100 ms.", inputSchema: { to: z.number() } },
    async ({ to }, extra) => {
      const progressToken = extra._meta?.progressToken;
      for (let n = 1; n <= to; n += 1) {
        if (progressToken !== undefined) {
          await extra.sendNotification({
            method: "notifications/progress",
            params: { progressToken, progress: n, total: to },
          });
        }
        await sleep(100);
      }
      return { content: [{ type: "text", text: `counted to ${to}` }] };
    },
  );
  return server;
}

app.post("/mcp", async (req, res) => {
  let transport = transports.get(req.headers["mcp-session-id"]);
  if (!transport) {
    if (req.headers["mcp-session-id"] || !isInitializeRequest(req.body)) {
      res.status(req.headers["mcp-session-id"] ? 404 : 400).json({
        jsonrpc: "2.0",
        error: { code: -32000, message: "No valid session ID provided" },
        id: null,
      });
      return;
    }
    transport = new StreamableHTTPServerTransport({
      sessionIdGenerator: () => randomUUID(),
      eventStore: new Memory(),
      onsessioninitialized: (id) => transports.set(id, transport),
      onsessionclosed: (id) => transports.delete(id),
    });
    await createServer().connect(transport);
  }
  await transport.handleRequest(req, res, req.body);
});

async function withSession(req, res) {
  const transport = transports.get(req.headers["mcp-session-id"]);
  if (transport) await transport.handleRequest(req, res);
  else res.status(req.headers["mcp-session-id"] ? 404 : 400).send("No valid session ID provided");
}
app.get("/mcp", withSession);
app.delete("/mcp", withSession);

app.listen(process.env.PORT, "127.0.0.1");
