from mcp import Stored, serve
serve(Stored())
