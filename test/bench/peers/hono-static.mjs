/** Hono on Node that answers and does nothing else: what a decision on Node can at best cost. */
import { serve } from '@hono/node-server';
import { Hono } from 'hono/tiny';

const app = new Hono();
app.get('/_authorizer/check', (c) => c.body(null, 200));
serve({ fetch: app.fetch, hostname: '127.0.0.1', port: Number(process.env.PORT) });
