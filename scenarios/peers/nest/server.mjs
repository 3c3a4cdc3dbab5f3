// NestJS's `@Sse`, an Observable per request, without a build step.
import "reflect-metadata";
import { Controller, Get, HttpCode, Module, Post, Req, Sse } from "@nestjs/common";
import { NestFactory } from "@nestjs/core";
import { defer, finalize, interval, map, Subject } from "rxjs";

const published = new Subject();
let active = 0;

const counted = (events) =>
  defer(() => {
    active += 1;
    return events.pipe(finalize(() => (active -= 1)));
  });

class Events {
  stream() {
    return counted(interval(200).pipe(map((n) => ({ data: { n }, type: "tick" }))));
  }

  published() {
    return counted(published);
  }

  publish(request) {
    const { event, ...body } = request.body;
    published.next({ ...body, type: event });
  }

  gauge() {
    return { active };
  }
}

// Like `@Sse("stream")` and similar decorators, without a compiler that supports them.
const method = (name, ...decorators) => {
  const property = Object.getOwnPropertyDescriptor(Events.prototype, name);
  for (const decorate of decorators) decorate(Events.prototype, name, property);
};
Controller()(Events);
method("stream", Sse("stream"));
method("published", Sse("published"));
method("publish", Post("publish"), HttpCode(204));
Req()(Events.prototype, "publish", 0);
method("gauge", Get("active"));

class App {}
Module({ controllers: [Events] })(App);

const app = await NestFactory.create(App, { logger: false });
app.useBodyParser("json", { limit: "2mb" });
await app.listen(process.env.PORT, "127.0.0.1");
