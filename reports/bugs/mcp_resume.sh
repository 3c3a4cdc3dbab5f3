#!/bin/sh
# Opens a session, then asks for its stream with a Last-Event-ID, as a client does that reconnects.
set -eu
url=${1:-http://127.0.0.1:8080/mcp}
types='Accept: application/json, text/event-stream'
session=$(curl -s -D - -o /dev/null "$url" -H "$types" -H 'Content-Type: application/json' -d '{
  "jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {
    "protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "curl", "version": "8"}}}' |
    tr -d '\r' | sed -n 's/^mcp-session-id: //p')
curl -siN -m 3 "$url" -H "$types" -H "Mcp-Session-Id: $session" -H 'Last-Event-ID: 1'
