// Tomcat, embedded: an asynchronous servlet for event streams and an endpoint of jakarta.websocket,
// one loop over all of each, whose writes block.

import jakarta.servlet.AsyncContext;
import jakarta.servlet.AsyncEvent;
import jakarta.servlet.AsyncListener;
import jakarta.servlet.ServletContext;
import jakarta.servlet.ServletException;
import jakarta.servlet.http.HttpServlet;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import jakarta.websocket.CloseReason;
import jakarta.websocket.DeploymentException;
import jakarta.websocket.Endpoint;
import jakarta.websocket.EndpointConfig;
import jakarta.websocket.Session;
import jakarta.websocket.server.ServerContainer;
import jakarta.websocket.server.ServerEndpointConfig;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.catalina.Context;
import org.apache.catalina.connector.Connector;
import org.apache.catalina.servlets.DefaultServlet;
import org.apache.catalina.startup.Tomcat;
import org.apache.coyote.http2.Http2Protocol;
import org.apache.tomcat.util.net.SSLHostConfig;
import org.apache.tomcat.util.net.SSLHostConfigCertificate;
import org.apache.tomcat.websocket.server.WsSci;

public class Main {
    static final Set<AsyncContext> streams = ConcurrentHashMap.newKeySet();
    static final Set<Session> sockets = ConcurrentHashMap.newKeySet();

    static class Events extends HttpServlet {
        @Override
        protected void doGet(HttpServletRequest request, HttpServletResponse response)
                throws IOException {
            response.setContentType("text/event-stream");
            response.setHeader("Cache-Control", "no-cache");
            response.flushBuffer();
            AsyncContext stream = request.startAsync();
            stream.setTimeout(0);
            stream.addListener(new AsyncListener() {
                public void onComplete(AsyncEvent event) { streams.remove(stream); }
                public void onError(AsyncEvent event) { streams.remove(stream); }
                public void onTimeout(AsyncEvent event) { streams.remove(stream); }
                public void onStartAsync(AsyncEvent event) { }
            });
            streams.add(stream);
        }
    }

    public static class Sockets extends Endpoint {
        @Override
        public void onOpen(Session session, EndpointConfig config) {
            sockets.add(session);
        }

        @Override
        public void onClose(Session session, CloseReason reason) {
            sockets.remove(session);
        }

        @Override
        public void onError(Session session, Throwable error) {
            sockets.remove(session);
        }
    }

    static class Publish extends HttpServlet {
        @Override
        protected synchronized void doPost(HttpServletRequest request, HttpServletResponse response)
                throws IOException {
            String text =
                    new String(request.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            byte[] event = ("data: " + text + "\n\n").getBytes(StandardCharsets.UTF_8);
            for (AsyncContext stream : streams) {
                try {
                    OutputStream out = stream.getResponse().getOutputStream();
                    out.write(event);
                    out.flush();
                } catch (IOException | IllegalStateException gone) {
                    streams.remove(stream);
                }
            }
            for (Session session : sockets) {
                try {
                    session.getBasicRemote().sendText(text);
                } catch (IOException | IllegalStateException gone) {
                    sockets.remove(session);
                }
            }
            response.setStatus(204);
        }
    }

    static void addEndpoint(Set<Class<?>> classes, ServletContext context)
            throws ServletException {
        var container = (ServerContainer) context.getAttribute(ServerContainer.class.getName());
        try {
            container.addEndpoint(
                    ServerEndpointConfig.Builder.create(Sockets.class, "/ws").build());
        } catch (DeploymentException error) {
            throw new ServletException(error);
        }
    }

    public static void main(String[] arguments) throws Exception {
        Tomcat tomcat = new Tomcat();
        tomcat.setBaseDir("tmp");
        tomcat.setSilent(true);
        Connector connector = new Connector();
        connector.setProperty("address", "127.0.0.1");
        connector.setPort(Integer.parseInt(System.getenv("PORT")));
        connector.setProperty("maxKeepAliveRequests", "-1");
        String cert = System.getenv("CERT");
        if (cert != null) {
            connector.setSecure(true);
            connector.setScheme("https");
            connector.setProperty("SSLEnabled", "true");
            SSLHostConfig config = new SSLHostConfig();
            SSLHostConfigCertificate own =
                    new SSLHostConfigCertificate(config, SSLHostConfigCertificate.Type.EC);
            own.setCertificateFile(cert);
            own.setCertificateKeyFile(System.getenv("KEY"));
            config.addCertificate(own);
            connector.addSslHostConfig(config);
            connector.addUpgradeProtocol(new Http2Protocol());
        }
        if (System.getenv("COMPRESS") != null) {
            connector.setProperty("compression", "on");
            connector.setProperty("compressibleMimeType", "text/event-stream");
        }
        tomcat.setConnector(connector);
        Context context = tomcat.addContext("", null);
        Tomcat.addServlet(context, "events", new Events()).setAsyncSupported(true);
        context.addServletMappingDecoded("/events", "events");
        Tomcat.addServlet(context, "publish", new Publish());
        context.addServletMappingDecoded("/publish", "publish");
        // A WebSocket is opened by a filter, and a filter needs a servlet with its path.
        Tomcat.addServlet(context, "default", new DefaultServlet());
        context.addServletMappingDecoded("/", "default");
        context.addServletContainerInitializer(new WsSci(), null);
        context.addServletContainerInitializer(Main::addEndpoint, null);
        tomcat.start();
        tomcat.getServer().await();
    }
}
