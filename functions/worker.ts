import type { ExecutionContext, IncomingRequestCfProperties } from '@cloudflare/workers-types';
import { createLayout } from '../lib/audit/layout.ts';
import { createR2Store, type R2Binding } from '../lib/audit/r2.ts';
import { createSpill } from '../lib/audit/spill.ts';
import { cloudflareCertificate } from '../lib/authenticate/cloudflare-certificate.ts';
import { loadConfig, problemLine } from '../lib/config/load.ts';
import type { Hop, Log } from '../lib/decision.ts';
import { createApp } from './app.ts';
import { type Composed, compose } from './compose.ts';
import type { Upstream } from './gateway.ts';
import { createUlids } from './ids.ts';
import { signedSpill } from './signed-spill.ts';
import { sleep } from './sleep.ts';
import { SPILL_TIMEOUT_MS } from './spill-timeout.ts';

/** Text variables named as in docs/configuration.md, and the bindings that may stand in for some of them. */
interface Env {
  readonly [variable: string]: unknown;
  readonly UPSTREAM?: { fetch(request: Request): Promise<Response> };
  readonly AUDIT_BUCKET?: R2Binding;
}

const clock = () => Date.now();
const newId = createUlids(clock);
const log: Log = (level, event, facts) => console[level](JSON.stringify({ type: 'log', level, event, ...facts }));

/** Composed once per isolate: plain data, closures and imported keys, no promise and no I/O object. */
let composed: { readonly parts: Composed | null } | null = null;

const composeOnce = (env: Env): Composed | null => {
  if (composed) return composed.parts;
  const place = {
    platform: 'worker',
    role: 'gateway',
    upstreamBinding: env.UPSTREAM !== undefined,
    bucketBinding: env.AUDIT_BUCKET !== undefined,
  } as const;
  const loaded = loadConfig(env, place);
  for (const warning of loaded.warnings) log('warn', 'configuration', { problem: problemLine(warning) });
  if (!loaded.ok) {
    for (const problem of loaded.problems) log('error', 'configuration_invalid', { problem: problemLine(problem) });
    composed = { parts: null };
    return null;
  }
  composed = {
    parts: compose(loaded.config, {
      clock,
      newId,
      log,
      fetch: (input, init) => fetch(input, init),
      random: () => Math.random(),
      sleep,
      sharePromises: false,
      sharedKeySet: edgeCache(loaded.config.settings.jwksUrl),
      upstream: upstreamOf(env, loaded.config.settings.upstreamUrl),
      auditLine: loaded.config.settings.auditLog ? (line) => console.log(line) : null,
      spill: env.AUDIT_BUCKET
        ? createSpill(
            createR2Store(env.AUDIT_BUCKET),
            createLayout(loaded.config.settings.auditPrefix),
            SPILL_TIMEOUT_MS,
          )
        : signedSpill(loaded.config.settings, null, { fetch: (input, init) => fetch(input, init), clock, log }),
      redisExchange: null,
    }),
  };
  return composed.parts;
};

/** The data centre's cache as the place where isolates leave the key set for each other. */
const edgeCache = (keySetUrl: URL | null) => {
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
};

/** The upstream by service binding, else by its origin; redirects and content codings pass as they are. */
const upstreamOf = (env: Env, url: URL | null): Upstream | null => {
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
};

const target = (request: Request): string => {
  const path = request.url.indexOf('/', request.url.indexOf('://') + 3);
  return path === -1 ? '/' : request.url.slice(path);
};

/** `request.cf` and `CF-Connecting-IP` exist only where Cloudflare's edge received the request: nobody else may set them. */
const hopOf = (request: Request): Hop => {
  const { cf } = request as { cf?: IncomingRequestCfProperties };
  const { certificate, refusal } = cloudflareCertificate(cf?.tlsClientAuth);
  return {
    peerAddress: cf ? request.headers.get('cf-connecting-ip') : null,
    secure: request.url.startsWith('https:'),
    certificate,
    ...(refusal ? { certificateRefusal: refusal } : {}),
  };
};

const app = createApp<Env>({
  composed: composeOnce,
  rawTarget: target,
  newId,
  ready: () => true,
  received: (request, _env, c) => ({
    target: target(request),
    headers: request.headers,
    hop: hopOf(request),
    context: { defer: (promise) => c.executionCtx.waitUntil(promise) },
  }),
});

export default {
  fetch: (request: Request, env: Env, context: ExecutionContext) => app.fetch(request, env, context as never),
};
