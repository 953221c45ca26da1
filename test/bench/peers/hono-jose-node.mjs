/** hono with jose on Node, the key held. */
import { serve } from '@hono/node-server';
import { honoJose } from './hono-jose.mjs';

serve({ fetch: honoJose(process.env).fetch, hostname: '127.0.0.1', port: Number(process.env.PORT) });
