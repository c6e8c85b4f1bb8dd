// Lists the tools and uses them as JSON on standard input asks: {url, token, calls: [{name, arguments}]}.
// Prints {server, tools, results} as JSON. In a call, "$id" stands for the id of the task made first.
import { text } from "node:stream/consumers";

import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";

const { url, token, calls } = JSON.parse(await text(process.stdin));
const client = new Client({ name: "npm-client", version: "1.0.0" });
const requestInit = { headers: { Authorization: `Bearer ${token}`, "X-Request-ID": "from-npm" } };
await client.connect(new StreamableHTTPClientTransport(new URL(url), { requestInit }));
try {
  const { tools } = await client.listTools();
  const results = [];
  let id = "";
  for (const { name, arguments: given } of calls) {
    const told = JSON.parse(JSON.stringify(given).replaceAll("$id", id));
    // The client itself holds each structured result against the tool's output schema.
    const result = await client.callTool({ name, arguments: told });
    id ||= result.structuredContent?.task?.id ?? "";
    results.push({ name, failed: result.isError ?? false, content: result.structuredContent ?? result.content });
  }
  console.log(JSON.stringify({ server: client.getServerVersion(), tools: tools.map((tool) => tool.name), results }));
} finally {
  await client.close();
}
