# faye-websocket's EventSource and its WebSocket, on Thin: one loop over all of each.
require "faye/websocket"
require "rack"
require "thin"

STREAMS = {}
SOCKETS = {}

APP = lambda do |env|
  case env["PATH_INFO"]
  when "/events"
    stream = Faye::EventSource.new(env)
    STREAMS[stream] = true
    stream.on(:close) { STREAMS.delete(stream) }
    stream.rack_response
  when "/ws"
    socket = Faye::WebSocket.new(env)
    SOCKETS[socket] = true
    socket.on(:close) { SOCKETS.delete(socket) }
    socket.rack_response
  when "/publish"
    text = env["rack.input"].read.force_encoding("UTF-8")
    STREAMS.each_key { |stream| stream.send(text) }
    SOCKETS.each_key { |socket| socket.send(text) }
    [204, {}, []]
  else
    [404, {}, []]
  end
end

Faye::WebSocket.load_adapter("thin")
Thin::Logging.silent = true
EM.epoll
EM.set_descriptor_table_size(8192)
server = Thin::Server.new("127.0.0.1", ENV.fetch("PORT").to_i, APP, signals: true)
server.maximum_connections = 8000
server.start
