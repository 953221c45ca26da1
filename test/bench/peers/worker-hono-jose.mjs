/** hono with jose in workerd, the key held. */
import { honoJose } from './hono-jose.mjs';

let app;
export default {
  fetch: (request, env, context) => {
    app ??= honoJose(env);
    return app.fetch(request, env, context);
  },
};
