from mcp.server import MCPServer

MCPServer("demo").run("streamable-http", host="127.0.0.1", port=8080)
