// Sends credentials of its user to a server that redirects to another origin.
import { EventSource } from "launchdarkly-eventsource";

const headers = { Authorization: "Bearer secret" };
new EventSource(process.argv[2], { headers }).onmessage = () => process.exit();
