// GraphQL over SSE as graphql-sse serves it, with Node's own HTTP server and graphql-js.
import http from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { GraphQLInt, GraphQLNonNull, GraphQLObjectType, GraphQLSchema, GraphQLString } from "graphql";
import { createHandler } from "graphql-sse/lib/use/http";

async function* ticks(_, { to }) {
  for (let n = 1; n <= to; n += 1) {
    yield { ticks: n };
    await sleep(100);
  }
}

const schema = new GraphQLSchema({
  query: new GraphQLObjectType({
    name: "Query",
    fields: { hello: { type: GraphQLString, resolve: () => "Grüße ☕" } },
  }),
  mutation: new GraphQLObjectType({
    name: "Mutation",
    fields: { reset: { type: GraphQLString, resolve: () => "done" } },
  }),
  subscription: new GraphQLObjectType({
    name: "Subscription",
    fields: {
      ticks: {
        type: GraphQLInt,
        args: { to: { type: new GraphQLNonNull(GraphQLInt) } },
        subscribe: ticks,
      },
    },
  }),
});

const handler = createHandler({ schema });
http.createServer(handler).listen(process.env.PORT, "127.0.0.1");
