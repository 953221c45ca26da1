import type { Context, MiddlewareHandler } from 'hono';
import { ConfigurationError } from '../../config/options/configuration-error.ts';
import { EnvironmentOptions, type Options } from '../../config/options/options.ts';
import { webAnswer } from '../../http/web-response.ts';
import { isWorkerd, webPlatform } from '../../platform/web/platform.ts';
import { denialAnswer } from '../../respond/denial.ts';
import { type Authorizer, type AuthorizerPlatform, answerPreflight, createAuthorizer } from '../library/authorizer.ts';
import type { AuthorizedPrincipal } from '../library/decision.ts';
import { connectionOf } from './connection.ts';

/** What the middleware leaves in Hono's context: `c.var.principal`. */
export interface AuthorizerVariables {
  principal: AuthorizedPrincipal;
}

declare module 'hono' {
  /** So that `c.var.principal` has its type in every route behind the middleware. */
  interface ContextVariableMap extends AuthorizerVariables {}
}

type Handler = MiddlewareHandler<{ Variables: AuthorizerVariables }>;

/** Requests that were allowed, for `requireScope`: what its denial has to say. */
const allowed = new WeakMap<Request, { readonly requestId: string }>();

/** Authorizers by the environment or the options they were made of, so that an isolate composes once. */
const authorizers = new WeakMap<object, Authorizer>();

/**
 * Makes a middleware that decides every request before the application sees it. It sets `c.var.principal` and the fields of
 * the budgets, or answers the denial (RFC 9457): 400, 401, 403, 404, 405, 429 or 503. Only rows of the endpoint table
 * pass; what no row names is denied. Everything is composed once in a process or isolate, with the first request.
 *
 * @param options Options written out, or `configFromEnv(env)`.
 * @param platform The runtime (left out: any with the web's APIs). `nodePlatform()` adds secrets in files and Vault.
 * @returns A middleware for `app.use`.
 * @example
 * const app = new Hono();
 * app.use(authorizer(configFromEnv(process.env)));
 * app.get('/orders/:id', requireScope('orders:read'), (c) => c.json({ caller: c.var.principal.subject }));
 */
export function authorizer(options: Options, platform?: AuthorizerPlatform): Handler {
  return async (c, next) => {
    const own = authorizerOf(options, platform, c);
    const connection = connectionOf(c);
    let decision: Awaited<ReturnType<Authorizer['decide']>>;
    try {
      const preflight = await answerPreflight(own, c.req.raw, connection);
      if (preflight !== null) return preflight;
      decision = await own.decide(c.req.raw, connection);
    } catch (error) {
      if (!(error instanceof ConfigurationError)) throw error;
      return webAnswer(
        denialAnswer({ reason: 'configuration_invalid' }, { requestId: crypto.randomUUID(), authMethod: 'none' }),
      );
    }
    if (!decision.allowed) return decision.response();
    c.set('principal', decision.principal);
    allowed.set(c.req.raw, decision);
    await next();
    for (const [name, value] of decision.headers) c.header(name, value, { append: name === 'vary' });
    return undefined;
  };
}

/**
 * Makes a middleware that demands one scope of the caller whom `authorizer` let through: 403 without it. For a route whose
 * row demands none; the decision was recorded as allowed before. `*` stands for every scope.
 *
 * @param name The scope.
 * @returns A middleware for one route or for `app.use`.
 * @throws Error at a request that no `authorizer` middleware has decided, which is a fault of the application.
 * @example
 * app.delete('/orders/:id', requireScope('orders:delete'), (c) => c.body(null, 204));
 */
export function requireScope(name: string): Handler {
  return async (c, next) => {
    const decision = allowed.get(c.req.raw);
    const principal: AuthorizedPrincipal | undefined = c.var.principal;
    if (decision === undefined || principal === undefined)
      throw new Error('requireScope needs the middleware authorizer() before it');
    if (principal.scopes.includes(name) || principal.scopes.includes('*')) return next();
    const told = { requestId: decision.requestId, authMethod: principal.method };
    return webAnswer(denialAnswer({ reason: 'scope_missing', scope: name }, told));
  };
}

function authorizerOf(options: Options, platform: AuthorizerPlatform | undefined, c: Context): Authorizer {
  const key = options instanceof EnvironmentOptions ? (options.env ?? options) : options;
  const known = authorizers.get(key);
  if (known !== undefined) return known;
  // On Workers variables and bindings come with the request; elsewhere `c.env` is a matter of the server.
  const bindings = isWorkerd() ? ((c.env ?? null) as Readonly<Record<string, unknown>> | null) : null;
  const own = createAuthorizer(options, platform ?? webPlatform(), bindings);
  authorizers.set(key, own);
  return own;
}
