/** node:http that answers with as many fields as ours, and does nothing else: what a check on Node can at best cost. */
import { createServer } from 'node:http';
import { FIELDS } from './fields.mjs';

const fields = [['x-auth-request-user', 'caller-1-0123456789ab'], ...FIELDS, ['content-length', '0']].flat();
createServer((_request, response) => response.writeHead(200, fields).end()).listen(
  Number(process.env.PORT),
  '127.0.0.1',
);
