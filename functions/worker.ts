import type { ExecutionContext, IncomingRequestCfProperties } from '@cloudflare/workers-types';
import { createLayout } from '../lib/archive/layout.ts';
import { signedSpill } from '../lib/archive/signed-spill.ts';
import { createSpill } from '../lib/archive/spill.ts';
import { SPILL_TIMEOUT_MS } from '../lib/archive/spill-timeout.ts';
import { createAccessRecords } from '../lib/audit/secret-access-records.ts';
import { cloudflareCertificate } from '../lib/authenticate/certificate/cloudflare-certificate.ts';
import { sleep } from '../lib/codec/sleep.ts';
import { createUlids } from '../lib/codec/ulid.ts';
import { type Composed, compose } from '../lib/compose/authorizer.ts';
import { loadConfig } from '../lib/config/load.ts';
import { problemLine } from '../lib/config/problem.ts';
import { type Resolved, secretNames } from '../lib/config/sources.ts';
import type { Log, RequestContext, Upstream } from '../lib/decision/ports.ts';
import type { Hop } from '../lib/decision/request.ts';
import { createApp } from '../lib/http/app.ts';
import { isCheck } from '../lib/http/forward-auth.ts';
import { webResponse } from '../lib/http/web-response.ts';
import { type SecretStores, secretStores } from '../lib/platform/workers/secret-stores.ts';
import { createR2Store, type R2Binding } from '../lib/storage/r2.ts';

/** Text variables named as in docs/configuration.md, and the bindings that may stand in for some of them. */
interface Env {
  readonly [variable: string]: unknown;
  readonly UPSTREAM?: { fetch(request: Request): Promise<Response> };
  readonly AUDIT_BUCKET?: R2Binding;
}

function clock() {
  return Date.now();
}
const newId = createUlids(clock);
const log: Log = (level, event, facts) => console[level](JSON.stringify({ type: 'log', level, event, ...facts }));

/** The parts of this isolate: plain data, closures and imported keys, no promise and no I/O object. */
interface Running {
  readonly parts: Composed | null;
  /** The environment with the secrets in it that the parts were made of. */
  readonly env: Resolved['env'];
  /** When secrets of the Secrets Store are read again. */
  readonly untilMs: number;
}

const recordAccesses = createAccessRecords({ component: 'worker', clock, newId, log, line: null });

/** How soon a store that could not be read is asked again. */
const RETRY_SECONDS = 5;

let running: Running | null = null;

function settled(parts: Composed | null, env: Resolved['env'], stored: boolean): Running {
  const seconds = parts === null ? RETRY_SECONDS : parts.config.settings.secretsRefreshSeconds;
  return { parts, env, untilMs: stored && seconds > 0 ? clock() + seconds * 1000 : Number.POSITIVE_INFINITY };
}

/**
 * The wired parts. Without secrets in a store they are composed in the first request, at once. Otherwise every request that
 * comes before the first reading is done reads for itself, since none may await another's promise; later one request in
 * each interval reads again behind its answer, and what it finds counts once it holds together.
 */
function composed(env: Env, context: RequestContext): Composed | null | Promise<Composed | null> {
  if (running?.untilMs === Number.POSITIVE_INFINITY) return running.parts;
  const stores = secretStores(env, clock);
  if (running === null) {
    if (stores !== null) return firstReading(env, stores, context);
    running = settled(start(env, { env, problems: [] }, null), env, false);
  } else if (stores !== null && clock() >= running.untilMs) {
    running = settled(running.parts, running.env, true);
    context.defer(renew(env, stores, running));
  }
  return running.parts;
}

async function firstReading(env: Env, stores: SecretStores, context: RequestContext): Promise<Composed | null> {
  const found = await stores.resolve();
  if (running === null) {
    running = settled(start(env, found, null), found.env, true);
    context.defer(recordAccesses(found, running.parts));
  }
  return running.parts;
}

/** Composes from secrets that were read again; what cannot be read or does not hold together changes nothing. */
async function renew(env: Env, stores: SecretStores, { parts: before, env: inForce }: Running): Promise<void> {
  const found = await stores.resolve();
  await recordAccesses(found, before);
  const isSame = found.problems.length === 0 && secretNames.every((name) => found.env[name] === inForce[name]);
  const next = before !== null && isSame ? null : start(env, found, before);
  if (next === null) return;
  const unfit = await next.assertions?.prepare();
  if (unfit) return log('error', 'configuration_invalid', { problem: `TGEFD_ASSERTION_KEY: found ${unfit}` });
  next.carried.store.adopt();
  running = settled(next, found.env, true);
}

type Found = Pick<Resolved, 'env' | 'problems'>;

/** Parts from an environment with its secrets, or null with every problem said. */
function start(bindings: Env, { env, problems }: Found, before: Composed | null): Composed | null {
  const loaded = loadConfig(env, {
    platform: 'worker',
    role: 'gateway',
    upstreamBinding: bindings.UPSTREAM !== undefined,
    bucketBinding: bindings.AUDIT_BUCKET !== undefined,
  });
  if (before === null)
    for (const warning of loaded.warnings) log('warn', 'configuration', { problem: problemLine(warning) });
  const found = [...problems, ...(loaded.ok ? [] : loaded.problems)];
  for (const problem of found) log('error', 'configuration_invalid', { problem: problemLine(problem) });
  if (!loaded.ok || problems.length > 0) return null;
  const { settings } = loaded.config;
  return compose(
    loaded.config,
    {
      clock,
      newId,
      log,
      fetch: (input, init) => fetch(input, init),
      random: () => Math.random(),
      sleep,
      sharePromises: false,
      sharedKeySet: edgeCache(settings.jwksUrl),
      upstream: upstreamOf(bindings, settings.upstreamUrl),
      auditLine: settings.auditLog ? (line) => console.log(line) : null,
      spill: bindings.AUDIT_BUCKET
        ? createSpill(createR2Store(bindings.AUDIT_BUCKET), createLayout(settings.auditPrefix), SPILL_TIMEOUT_MS)
        : signedSpill(settings, null, { fetch: (input, init) => fetch(input, init), clock, log }),
      redisExchange: null,
    },
    before,
  );
}

/** The data centre's cache as the place where isolates leave the key set for each other. */
function edgeCache(keySetUrl: URL | null) {
  const key = `https://key-set.tgefd-authorizer.invalid/${encodeURIComponent(keySetUrl?.href ?? '')}`;
  const cache = () => (caches as unknown as { readonly default: Cache }).default;
  return {
    async read() {
      const kept = await cache().match(key);
      return kept ? kept.text() : null;
    },
    async write(text: string, ttlSeconds: number) {
      await cache().put(
        key,
        new Response(text, { headers: { 'cache-control': `max-age=${Math.max(1, Math.floor(ttlSeconds))}` } }),
      );
    },
  };
}

/** The upstream by service binding, else by its origin; redirects and content codings pass as they are. */
function upstreamOf(env: Env, url: URL | null): Upstream | null {
  const binding = env.UPSTREAM;
  const origin = url?.origin ?? 'https://upstream.internal';
  if (!binding && !url) return null;
  return ({ method, target, fields, body, upgrade, signal }) => {
    const headers = new Headers(fields as [string, string][]);
    if (upgrade) headers.set('upgrade', upgrade);
    const init: RequestInit = {
      method,
      headers,
      redirect: 'manual',
      signal,
      body: method === 'GET' || method === 'HEAD' ? null : body,
    };
    const request = new Request(`${origin}${target}`, init);
    return binding ? binding.fetch(request) : fetch(request);
  };
}

function isSecure(url: string): boolean {
  return url.startsWith('https:');
}

/** Path and query as they stand in the URL, which workerd leaves as they came. */
function targetOf(url: string): string {
  const path = url.indexOf('/', url.indexOf('://') + 3);
  return path === -1 ? '/' : url.slice(path);
}

/** TLS before 1.2 (RFC 8996), as Cloudflare writes it: no more secure than none. */
const oldTls = /^(SSL|TLSv1(\.1)?$)/;

/** `request.cf` and `CF-Connecting-IP` exist only where Cloudflare's edge received the request: nobody else may set them. */
function hopOf(request: Request, secure: boolean): Hop {
  const { cf } = request as { cf?: IncomingRequestCfProperties };
  const { certificate, refusal } = cloudflareCertificate(cf?.tlsClientAuth);
  return {
    peerAddress: cf ? request.headers.get('cf-connecting-ip') : null,
    secure: secure && !oldTls.test(cf?.tlsVersion ?? ''),
    certificate,
    ...(refusal ? { certificateRefusal: refusal } : {}),
  };
}

function contextOf(c: Pick<ExecutionContext, 'waitUntil'>): RequestContext {
  return {
    defer: (promise) => c.waitUntil(promise),
  };
}

const app = createApp<Env>({
  composed: (env, c) => composed(env, contextOf(c.executionCtx)),
  rawTarget: ({ url }) => targetOf(url),
  newId,
  ready: () => true,
  received: (request, _env, c) => ({
    target: targetOf(request.url),
    headers: request.headers,
    hop: hopOf(request, isSecure(request.url)),
    context: contextOf(c.executionCtx),
  }),
});

/** A proxy's check, answered without a router in between: the same decision and the same answer as through the app. */
async function check(
  request: Request,
  url: string,
  target: string,
  forwardAuth: NonNullable<Composed['forwardAuth']>,
  context: RequestContext,
): Promise<Response> {
  const { method, headers } = request;
  const access = { door: forwardAuth.proxy, method, target, headers, hop: hopOf(request, isSecure(url)) };
  const answer = await forwardAuth.check(access, context);
  return webResponse(answer.status, answer.headers, answer.body);
}

export default {
  fetch(request: Request, env: Env, execution: ExecutionContext) {
    const { url } = request;
    const target = targetOf(url);
    if (isCheck(target)) {
      const context = contextOf(execution);
      const parts = composed(env, context);
      const forwardAuth = parts instanceof Promise ? null : parts?.forwardAuth;
      if (forwardAuth && forwardAuth.proxy !== 'envoy') return check(request, url, target, forwardAuth, context);
    }
    return app.fetch(request, env, execution as never);
  },
};
