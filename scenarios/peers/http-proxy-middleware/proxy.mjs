// http-proxy-middleware behind the compression middleware, as in many development servers.
import compression from "compression";
import express from "express";
import { createProxyMiddleware } from "http-proxy-middleware";

const app = express();
app.use(compression());
app.use(createProxyMiddleware({ target: `http://127.0.0.1:${process.env.UPSTREAM_PORT}` }));
app.listen(process.env.PORT, "127.0.0.1");
