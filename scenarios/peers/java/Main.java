import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.atomic.AtomicInteger;

/** The server of the JDK itself, a thread for each stream. */
public class Main {
    static final Set<BlockingQueue<String>> LISTENERS = ConcurrentHashMap.newKeySet();
    static final AtomicInteger ACTIVE = new AtomicInteger();

    interface Producer {
        void run(OutputStream out) throws Exception;
    }

    static void send(OutputStream out, String data) throws IOException {
        out.write(("data: " + data + "\n\n").getBytes(StandardCharsets.UTF_8));
        out.flush();
    }

    static void stream(HttpExchange exchange, Producer producer) throws IOException {
        ACTIVE.incrementAndGet();
        exchange.getResponseHeaders().set("Content-Type", "text/event-stream");
        exchange.getResponseHeaders().set("Cache-Control", "no-cache");
        exchange.sendResponseHeaders(200, 0);
        try (OutputStream out = exchange.getResponseBody()) {
            producer.run(out);
        } catch (Exception left) {
            // The client has disconnected.
        } finally {
            ACTIVE.decrementAndGet();
        }
    }

    static void answer(HttpExchange exchange, int status, String body) throws IOException {
        byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
        exchange.sendResponseHeaders(status, bytes.length == 0 ? -1 : bytes.length);
        if (bytes.length > 0) {
            exchange.getResponseBody().write(bytes);
        }
        exchange.close();
    }

    public static void main(String[] arguments) throws IOException {
        int port = Integer.parseInt(System.getenv("PORT"));
        HttpServer server = HttpServer.create(new InetSocketAddress("127.0.0.1", port), 0);
        server.setExecutor(Executors.newCachedThreadPool());
        server.createContext("/stream", exchange -> stream(exchange, out -> {
            for (int n = 1; ; n++) {
                send(out, "tick " + n);
                Thread.sleep(200);
            }
        }));
        server.createContext("/published", exchange -> stream(exchange, out -> {
            BlockingQueue<String> messages = new LinkedBlockingQueue<>();
            LISTENERS.add(messages);
            try {
                while (true) {
                    send(out, messages.take());
                }
            } finally {
                LISTENERS.remove(messages);
            }
        }));
        server.createContext("/publish", exchange -> {
            String body = new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8);
            LISTENERS.forEach(listener -> listener.add(body));
            answer(exchange, 204, "");
        });
        server.createContext("/active", exchange -> answer(exchange, 200, "{\"active\":" + ACTIVE + "}"));
        server.start();
    }
}
