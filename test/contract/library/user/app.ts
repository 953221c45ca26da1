import { Hono } from 'hono';
import { authorizer, configFromEnv, requireScope } from 'tgefd-authorizer/hono';

const app = new Hono();
app.use(authorizer(configFromEnv()));
app.get('/orders', (c) => c.json(c.var.principal));
app.get('/orders/:id', requireScope('orders:read'), (c) => c.json({ id: c.req.param('id') }));

export default app;
