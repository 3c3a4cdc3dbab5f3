# Sinatra's own chat example: `stream(:keep_open)`, on Puma.
require "json"
require "sinatra/base"

class Peer < Sinatra::Base
  set :server, :puma
  set :server_settings, Threads: "0:64", Silent: true
  set :logging, false
  set :connections, []
  set :active, 0
  LOCK = Mutex.new

  helpers do
    # Counts the producers that are alive.
    def count(by)
      LOCK.synchronize { settings.active += by }
    end
  end

  get "/stream", provides: "text/event-stream" do
    stream do |out|
      count(1)
      n = 0
      loop do
        n += 1
        out << "data: tick #{n}\n\n"
        sleep 0.2
      end
    ensure
      count(-1)
    end
  end

  get "/published", provides: "text/event-stream" do
    stream do |out|
      count(1)
      queue = Queue.new
      LOCK.synchronize { settings.connections << queue }
      loop { out << "data: #{queue.pop}\n\n" }
    ensure
      LOCK.synchronize { settings.connections.delete(queue) }
      count(-1)
    end
  end

  post "/publish" do
    message = request.body.read
    LOCK.synchronize { settings.connections.each { |queue| queue << message } }
    204
  end

  get "/active" do
    content_type :json
    { active: settings.active }.to_json
  end
end

Peer.run!(bind: "127.0.0.1", port: ENV.fetch("PORT").to_i)
