/** node:http that answers with as many fields as ours, and does nothing else: what a check on Node can at best cost. */
import { createServer } from 'node:http';

const fields = Object.entries({
  'x-auth-request-user': 'caller-1-0123456789ab',
  'x-auth-request-scopes': 'discover evaluate jobs metrics',
  'x-auth-request-method': 'jwt',
  'x-request-id': '01J00000000000000000000000',
  traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-02',
  'x-tgefd-assertion': '',
  'cache-control': 'no-store',
  'content-length': '0',
}).flat();
createServer((_request, response) => response.writeHead(200, fields).end()).listen(
  Number(process.env.PORT),
  '127.0.0.1',
);
