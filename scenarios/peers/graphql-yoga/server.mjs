// GraphQL over SSE as GraphQL Yoga serves it, with Node's own HTTP server.
import http from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { createSchema, createYoga } from "graphql-yoga";

const schema = createSchema({
  typeDefs: `
    type Query { hello: String }
    type Mutation { reset: String }
    type Subscription { ticks(to: Int!): Int }
  `,
  resolvers: {
    Query: { hello: () => "Grüße ☕" },
    Mutation: { reset: () => "done" },
    Subscription: {
      ticks: {
        async *subscribe(_, { to }) {
          for (let n = 1; n <= to; n += 1) {
            yield { ticks: n };
            await sleep(100);
          }
        },
      },
    },
  },
});

http.createServer(createYoga({ schema })).listen(process.env.PORT, "127.0.0.1");
