// A server of the Model Context Protocol by the official SDK, for tests and for docs/guides/mcp.md: node mcp-server.mjs PORT
import { createServer } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import { toNodeHandler } from '@modelcontextprotocol/node';
import { createMcpHandler, McpServer } from '@modelcontextprotocol/server';
import * as z from 'zod';

const text = (words) => ({ content: [{ type: 'text', text: words }] });

function buildServer() {
  const server = new McpServer({ name: 'shelf', version: '1.0.0' });
  server.registerTool(
    'search',
    { description: 'Looks for a word', inputSchema: z.object({ word: z.string() }) },
    ({ word }) => text(`found ${word}`),
  );
  server.registerTool(
    'delete_item',
    { description: 'Deletes an item', inputSchema: z.object({ id: z.string() }) },
    ({ id }) => text(`deleted ${id}`),
  );
  server.registerTool(
    'countdown',
    {
      description: 'Tells each step of a countdown',
      inputSchema: z.object({ steps: z.number(), pauseMs: z.number() }),
    },
    async ({ steps, pauseMs }, context) => {
      const progressToken = context.mcpReq._meta?.progressToken;
      for (let step = 1; step <= steps; step++) {
        await context.mcpReq.notify({
          method: 'notifications/progress',
          params: { progressToken, progress: step, total: steps },
        });
        await pause(pauseMs);
      }
      return text('done');
    },
  );
  // What the public conformance scenarios ask for.
  server.registerTool('test_simple_text', { description: 'Answers with text', inputSchema: z.object({}) }, () =>
    text('This is a simple text response for testing.'),
  );
  server.registerTool('test_error_handling', { description: 'Fails', inputSchema: z.object({}) }, () => ({
    ...text('This tool intentionally returns an error for testing'),
    isError: true,
  }));
  server.registerTool(
    'test_tool_with_progress',
    { description: 'Tells its progress', inputSchema: z.object({}) },
    async (_, context) => {
      const progressToken = context.mcpReq._meta?.progressToken;
      for (const progress of [0, 50, 100]) {
        await context.mcpReq.notify({
          method: 'notifications/progress',
          params: { progressToken, progress, total: 100 },
        });
        await pause(20);
      }
      return text(String(progressToken));
    },
  );
  server.registerResource('text', 'test://static-text', { mimeType: 'text/plain' }, (uri) => ({
    contents: [{ uri: uri.href, mimeType: 'text/plain', text: 'This is the content of the static text resource.' }],
  }));
  server.registerPrompt('test_simple_prompt', { description: 'A prompt' }, () => ({
    messages: [{ role: 'user', content: { type: 'text', text: 'This is a simple prompt for testing.' } }],
  }));
  server.registerPrompt('übersetzen', { description: 'A prompt whose name is not ASCII' }, () => ({
    messages: [{ role: 'user', content: { type: 'text', text: 'übersetzt' } }],
  }));
  return server;
}

const handler = toNodeHandler(createMcpHandler(buildServer));
createServer((request, response) => {
  if (new URL(request.url ?? '/', 'http://localhost').pathname === '/mcp') return void handler(request, response);
  response.writeHead(404).end();
}).listen(Number(process.argv[2]), '127.0.0.1');
