import type { Context } from 'hono';
import { Hono } from 'hono/tiny';
import type { RequestContext } from '../decision/ports.ts';
import type { Reason } from '../decision/reason.ts';
import type { AccessRequest, ForwardedAnswer } from '../decision/request.ts';
import { bodyRefused } from '../request/body-refused.ts';
import type { Assertions } from '../respond/assertion.ts';
import type { AssertionKey } from '../respond/assertion-key.ts';
import { discoveryDocument } from '../respond/assertion-web-identity.ts';
import type { Cors } from '../respond/cors.ts';
import { denialAnswer } from '../respond/denial.ts';
import { METADATA_PATH } from '../respond/protected-resource.ts';
import { EVENTS_PATH, type EventsPage } from './events-page.ts';
import { type ConfiguredForwardAuth, checkOf } from './forward-auth.ts';
import type { Gateway, GatewayParts } from './gateway.ts';
import { keySetPage } from './key-set-page.ts';
import { metadataAnswer, type ProtectedResource } from './resource-metadata.ts';
import { webAnswer, webResponse } from './web-response.ts';

/** What the app serves of everything that is composed. */
export interface Served {
  readonly config: {
    readonly settings: { readonly issuerUrl: URL | null };
    readonly documents: { readonly assertionKeys: readonly AssertionKey[] };
  };
  readonly gateway: Pick<GatewayParts, 'transportFields'> & { readonly answer: Gateway };
  readonly forwardAuth: ConfiguredForwardAuth | null;
  readonly cors: Cors;
  readonly assertions: Assertions | null;
  readonly resource: ProtectedResource | null;
  /** Takes security events; null where nobody sends any. */
  readonly events: EventsPage | null;
  ready(): boolean;
  /** What stands beside `ready`, or null. */
  notice(): string | null;
  warm(context: RequestContext): Promise<void>;
}

/** What a runtime knows about one request that the web `Request` does not tell. */
export interface Received {
  /** Request target exactly as it came in, before any URL parser. */
  readonly target: string;
  /** Header fields with every repetition kept; a runtime's own view may have dropped some. */
  readonly headers: AccessRequest['headers'];
  readonly hop: AccessRequest['hop'];
  /** What makes the message one that nobody should have sent, where only the runtime can tell. */
  readonly refused?: Reason;
  /** Whether a body comes with the message, where the runtime can tell. */
  readonly hasBody?: boolean;
  readonly whenAnswered?: (done: () => void) => void;
  readonly whenForwarded?: (answer: ForwardedAnswer) => void;
  readonly context: RequestContext;
}

/** Path of a raw target, for choosing the door only; the decision makes its own of the whole target. */
function rawPath(target: string): string {
  const query = target.indexOf('?');
  return query === -1 ? target : target.slice(0, query);
}

/**
 * Path as the small router is given it: it would take `/healthz/` for `/healthz`, and a trailing slash is another path; and
 * it would find no way for a target that is no path (absolute-form, `*`), which is the decision's to refuse.
 */
function routedPath(path: string): string {
  return path.startsWith('/') ? (path.length > 1 && path.endsWith('/') ? `${path}/` : path) : '/';
}

/** How one runtime feeds the app. */
export interface AppParts<Bindings extends object> {
  /** The wired parts, or null while the configuration is invalid. */
  composed(bindings: Bindings, context: Context): Served | null | Promise<Served | null>;
  received(request: Request, bindings: Bindings, context: Context): Received;
  rawTarget(request: Request, bindings: Bindings): string;
  newId(): string;
  /** Whether this process still takes new work. */
  ready(): boolean;
}

function readyText(notice: string | null): string {
  return notice === null ? 'ready' : `ready, ${notice}`;
}

function word(status: 200 | 503, text: string) {
  return webResponse(
    status,
    [
      ['content-type', 'text/plain; charset=utf-8'],
      ['cache-control', 'no-store'],
    ],
    `${text}\n`,
  );
}

type Env<Bindings extends object> = { Bindings: Bindings; Variables: { composed: Served } };

type Receive<Bindings extends object> = (c: Context<Env<Bindings>>) => {
  readonly access: AccessRequest;
  readonly context: RequestContext;
};

/**
 * The app that every HTTP runtime serves: health and readiness, our own pages, the forward-auth doors, and the gateway for
 * everything else. While the configuration is invalid every request but `/healthz` is a 503 `configuration_invalid`.
 * Routes go by the raw target, so that no URL parser decides which door a request takes.
 */
export function createApp<Bindings extends object>(parts: AppParts<Bindings>) {
  const app = new Hono<Env<Bindings>>({
    getPath: (request, options) => routedPath(rawPath(parts.rawTarget(request, options?.env as Bindings))),
  });

  const receive: Receive<Bindings> = (c) => {
    const { context, ...received } = parts.received(c.req.raw, c.env, c);
    return { access: { door: 'gateway', method: c.req.raw.method, ...received }, context };
  };

  const refuse = (reason: 'configuration_invalid' | 'internal_error') => {
    return webAnswer(denialAnswer({ reason }, { requestId: parts.newId(), authMethod: 'none' }));
  };
  // Whatever went wrong is ours, never the caller's, and tells nothing of itself.
  app.onError(() => refuse('internal_error'));

  app.get('/healthz', () => word(200, 'ok'));

  app.use(async (c, next) => {
    const composed = await parts.composed(c.env, c);
    if (composed) {
      c.set('composed', composed);
      return next();
    }
    return refuse('configuration_invalid');
  });

  app.get('/readyz', async (c) => {
    const composed = c.get('composed');
    // A new isolate has not asked for keys yet: the probe itself makes it ready.
    if (!composed.ready()) await composed.warm(receive(c).context);
    return parts.ready() && composed.ready() ? word(200, readyText(composed.notice())) : word(503, 'not ready');
  });

  addOwnPages(app, parts, receive);

  app.post(EVENTS_PATH, async (c, next) => {
    const { events } = c.get('composed');
    if (events === null) return next();
    const { access, context } = receive(c);
    return events(access, c.req.raw, context);
  });

  app.all('*', async (c) => {
    const { gateway, cors, forwardAuth } = c.get('composed');
    const { access, context } = receive(c);
    const check = checkOf(forwardAuth, access.target);
    if (check) return webAnswer(await check(access, context));
    const preflight = cors.preflight(access);
    if (preflight) return webResponse(204, preflight, null);
    return gateway.answer(bodyRefused(access), c.req.raw, context, cors.fields(access));
  });

  return app;
}

/** Pages of our own that anybody may read: metadata of the resource, the key set, and the discovery document. */
function addOwnPages<Bindings extends object>(
  app: Hono<Env<Bindings>>,
  parts: AppParts<Bindings>,
  receive: Receive<Bindings>,
): void {
  const metadata = (c: Context<Env<Bindings>>, next: () => Promise<void>) => {
    const { resource } = c.get('composed');
    const path = rawPath(parts.rawTarget(c.req.raw, c.env));
    return (resource && metadataAnswer(resource, c.req.method, path, parts.newId)) ?? next();
  };
  app.all(METADATA_PATH, metadata);
  app.all(`${METADATA_PATH}/*`, metadata);

  app.get('/_authorizer/jwks.json', async (c) => {
    const { assertions, gateway } = c.get('composed');
    const { status, headers, body } = await keySetPage(assertions);
    return webResponse(status, [...headers, ...gateway.transportFields(receive(c).access.hop.secure)], body);
  });

  app.get('/_authorizer/.well-known/openid-configuration', async (c, next) => {
    const { settings, documents } = c.get('composed').config;
    const [key] = documents.assertionKeys;
    if (settings.issuerUrl === null || key === undefined) return next();
    return webResponse(
      200,
      [
        ['content-type', 'application/json'],
        ['cache-control', 'public, max-age=300'],
      ],
      JSON.stringify(discoveryDocument({ issuer: settings.issuerUrl.href, key })),
    );
  });
}
