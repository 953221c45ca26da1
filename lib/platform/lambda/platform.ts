import { type PlatformCredentials, signedSpill } from '../../archive/spill/signed-spill.ts';
import { sleep } from '../../codec/sleep.ts';
import { egressTargets } from '../../config/egress.ts';
import type { Config } from '../../config/load.ts';
import { environmentOf, type Opening } from '../../config/options/options.ts';
import type { Place } from '../../config/rules/check.ts';
import type { EgressWatch } from '../../egress/watch.ts';
import { hmacOnNode, verifyOnNode } from '../node/crypto.ts';
import { createNodeEgress } from '../node/egress.ts';
import { createNodeFetch } from '../node/fetch.ts';
import { createNodeRedisExchange } from '../node/redis.ts';
import { redisOverTcp } from '../node/redis-tcp/open.ts';
import { type Env, lambdaBase } from './base.ts';

/** AWS Lambda, as `lambdaPlatform()` describes it. */
export interface LambdaRuntime {
  readonly runtime: 'lambda';
  /** @internal */
  open(opening: Opening): LambdaPlatform;
}

/**
 * A Lambda environment that was opened for one authorizer.
 *
 * @internal
 */
export type LambdaPlatform = ReturnType<typeof openLambda>;

/**
 * AWS Lambda: secrets come from Secrets Manager by the extension and are read again by an invocation that waits for it.
 *
 * @returns A platform for `createAuthorizer` and `serveLambda`.
 * @example
 * export const { handler, jwks, metadata } = await serveLambda(configFromEnv(), lambdaPlatform());
 */
export function lambdaPlatform(): LambdaRuntime {
  return {
    runtime: 'lambda',
    open: ({ options, role }: Opening) => openLambda(environmentOf(options, process.env) as Env, role),
  };
}

/** Opens the environment: promises are shared, and a fatal problem fails the start. */
function openLambda(env: Env, role: Place['role']) {
  const { watch, ...base } = lambdaBase(env);
  const { clock, newId, log, line } = base;
  const place: Place = { platform: 'lambda', role, upstreamBinding: false, bucketBinding: false };
  const credentials = roleCredentials(env);
  let sockets: Sockets | null = null;
  return {
    ...base,
    place,
    renewal: { by: 'invocation' },
    component: 'lambda',
    /** Secrets are read with the first event, since the extension answers from then on. */
    secretsElsewhere: Object.values(env).some((value) => value?.startsWith('aws-sm:') === true),
    /** A snapshot is started many times: what is fetched before it is taken would be the same, and old, in all. */
    snapshot: env.AWS_LAMBDA_INITIALIZATION_TYPE === 'snap-start',
    functionName: env.AWS_LAMBDA_FUNCTION_NAME ?? 'authorizer',
    runtime(config: Config) {
      const { settings } = config;
      sockets ??= openSockets(config, credentials.region, watch.note);
      const { fetch } = sockets;
      return {
        clock,
        stopwatch: base.stopwatch,
        newId,
        log,
        fetch,
        egressWatch: watch,
        random: () => Math.random(),
        sleep,
        sharePromises: true,
        cryptography: { verify: verifyOnNode, hmac: hmacOnNode },
        sharedKeySets: null,
        readFile: async (path: string) => (await import('node:fs/promises')).readFile(path, 'utf8'),
        upstream: null,
        auditLine: settings.auditLog ? line : null,
        spill: signedSpill(settings, credentials, { fetch, clock, log }),
        redisExchange: sockets.redisExchange,
        redisOverTcp: sockets.redisOverTcp,
      };
    },
  } as const;
}

/** What is opened once in an environment, whatever its secrets are. */
interface Sockets {
  readonly fetch: ReturnType<typeof createNodeFetch>;
  readonly redisExchange: ReturnType<typeof createNodeRedisExchange> | null;
  readonly redisOverTcp: ReturnType<typeof redisOverTcp>;
}

function openSockets({ settings }: Config, region: string, note: EgressWatch['note']): Sockets {
  const egress = createNodeEgress(egressTargets(settings, region), note);
  const { redisUrl } = settings;
  return {
    fetch: createNodeFetch(egress),
    redisExchange: redisUrl ? createNodeRedisExchange(redisUrl, egress, note) : null,
    redisOverTcp: redisOverTcp(settings, egress),
  };
}

/** The function's role; Lambda gives each environment credentials that outlive it. */
function roleCredentials(env: Env): PlatformCredentials {
  return {
    region: env.AWS_REGION ?? '',
    credentials: () => ({
      accessKeyId: env.AWS_ACCESS_KEY_ID ?? '',
      secretAccessKey: env.AWS_SECRET_ACCESS_KEY ?? '',
      sessionToken: env.AWS_SESSION_TOKEN,
    }),
  };
}
