// A client of the Model Context Protocol by the official SDK, for tests and for docs/guides/mcp.md. It knows the URL of the server and its own
// id and secret; where to get a token, and for which scopes, it learns from the answers:
//   node mcp-client.mjs URL CLIENT_ID CLIENT_SECRET FIRST_SCOPE [legacy]
import { Client, ClientCredentialsProvider, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';

const [url, clientId, clientSecret, scope, era] = process.argv.slice(2);
const authProvider = new ClientCredentialsProvider({ clientId, clientSecret, scope });
const client = new Client(
  { name: 'reader', version: '1.0.0' },
  { versionNegotiation: { mode: era === 'legacy' ? 'legacy' : 'auto' } },
);
await client.connect(new StreamableHTTPClientTransport(new URL(url), { authProvider }));

const told = (step, value) => console.log(JSON.stringify({ step, value }));
const call = async (name, args = {}, options = {}) =>
  (await client.callTool({ name, arguments: args }, options)).content[0].text;
const scopesOf = () =>
  JSON.parse(Buffer.from(authProvider.tokens().access_token.split('.')[1], 'base64url').toString()).scope;

told('tools', (await client.listTools()).tools.length);
told('search', await call('search', { word: 'dune' }));
told('scopes', scopesOf());
told('delete', await call('delete_item', { id: '7' }));
told('scopes', scopesOf());
told('encoded', (await client.getPrompt({ name: 'übersetzen' })).messages[0].content.text);
const arrivals = [];
const startedMs = performance.now();
told(
  'countdown',
  await call(
    'countdown',
    { steps: 4, pauseMs: 150 },
    { onprogress: () => arrivals.push(Math.round(performance.now() - startedMs)) },
  ),
);
told('arrivals', arrivals);
told('resource', (await client.readResource({ uri: 'test://static-text' })).contents[0].text);
await client.close();
