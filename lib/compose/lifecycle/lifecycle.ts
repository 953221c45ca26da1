import { createAccessRecords } from '../../audit/secret-access-records.ts';
import { type Loaded, loadConfig } from '../../config/load.ts';
import { type Problem, problemLine } from '../../config/problem.ts';
import type { Resolved } from '../../config/sources.ts';
import type { RequestContext } from '../../decision/ports.ts';
import type { Platform } from '../runtime.ts';
import { momentProblems, proveKeys } from './keys.ts';
import { type Life, type Lifecycle, nextLookMs, type Outcome, putIntoService, type Steps } from './life.ts';
import { renew } from './renewal.ts';

/** How soon a place that reads secrets with its requests tries again after it could not be made ready. */
const RETRY_MS = 5_000;

/**
 * Owns the parts of one process or isolate: resolve, load, prove, compose, adopt, serve, renew, close. Nothing can be
 * served before `ready` has answered null, on any platform. Where promises may not be shared, requests that come before
 * that each do the work for themselves, and the first to end decides.
 */
export function createLifecycle<Parts>(platform: Platform, steps: Steps<Parts>): Lifecycle<Parts> {
  const { component, clock, newId, log, accessLine: line } = platform;
  const life: Life<Parts> = {
    platform,
    steps,
    record: component === null ? async () => {} : createAccessRecords({ component, clock, newId, log, line }),
    serving: null,
    refused: null,
    said: '',
    stopLooking: null,
    underWay: null,
    starting: null,
    closed: false,
  };
  return {
    serving: () => life.serving?.parts ?? null,
    problems: () => life.refused?.problems ?? [],
    ready: (context) => ready(life, context),
    current: (context) => current(life, context),
    renew: () => renew(life),
    close: () => close(life),
  };
}

function current<Parts>(life: Life<Parts>, context: RequestContext): Parts | null | Promise<Parts | null> {
  const { serving, platform } = life;
  if (serving === null) {
    const outcome = ready(life, context);
    const parts = () => life.serving?.parts ?? null;
    return outcome instanceof Promise ? outcome.then(parts) : parts();
  }
  if (serving.lookAtMs === Number.POSITIVE_INFINITY || platform.stopwatch() < serving.lookAtMs) return serving.parts;
  serving.lookAtMs = nextLookMs(life, serving.parts);
  const renewed = renew(life);
  if (platform.renewal.by === 'invocation') return renewed.then(() => life.serving?.parts ?? null);
  context.defer(renewed);
  return serving.parts;
}

function ready<Parts>(life: Life<Parts>, context: RequestContext): Outcome | Promise<Outcome> {
  const { platform, refused } = life;
  if (life.serving !== null) return null;
  if (refused !== null && platform.stopwatch() < refused.retryAtMs) return refused.problems;
  if (life.starting !== null) return life.starting;
  const outcome = start(life, context);
  if (platform.sharePromises && outcome instanceof Promise) {
    life.starting = outcome.finally(() => {
      life.starting = null;
    });
    return life.starting;
  }
  return outcome;
}

function start<Parts>(life: Life<Parts>, context: RequestContext): Outcome | Promise<Outcome> {
  const { env, secrets } = life.platform;
  if (secrets === null) return judgeFirst(life, { env, problems: [], accesses: [] }, context);
  return secrets.resolve().then((resolved) => judgeFirst(life, resolved, context));
}

function judgeFirst<Parts>(life: Life<Parts>, resolved: Resolved, context: RequestContext): Outcome | Promise<Outcome> {
  const { platform } = life;
  const loaded = loadConfig(resolved.env, platform.place);
  const unread = new Set(resolved.problems.map(({ variable }) => variable));
  const found = [
    ...resolved.problems,
    // Of a secret that could not be read, only the reference is there to be judged.
    ...(loaded.ok ? [] : loaded.problems.filter(({ variable }) => !unread.has(variable))),
    ...platform.problemsOf(loaded.ok ? loaded.config : null),
    ...(loaded.ok ? momentProblems(loaded.config, platform.clock()) : []),
  ];
  if (!loaded.ok || found.length > 0) return refuse(life, resolved, found, context);
  const proof = proveKeys(loaded.config);
  if (proof === null) return serveFirst(life, resolved, loaded, context);
  return proof.then((unfit) =>
    unfit.length > 0 ? refuse(life, resolved, unfit, context) : serveFirst(life, resolved, loaded, context),
  );
}

function refuse<Parts>(
  life: Life<Parts>,
  resolved: Resolved,
  problems: readonly Problem[],
  context: RequestContext,
): Outcome {
  const { platform } = life;
  if (life.serving !== null) return null;
  const retryMs = platform.renewal.by === 'request' ? RETRY_MS : 0;
  const retryAtMs = platform.secrets === null ? Number.POSITIVE_INFINITY : platform.stopwatch() + retryMs;
  life.refused = { problems, retryAtMs };
  context.defer(life.record(resolved, null));
  platform.fatal(problems);
  return problems;
}

function serveFirst<Parts>(
  life: Life<Parts>,
  resolved: Resolved,
  { config, warnings }: Extract<Loaded, { readonly ok: true }>,
  context: RequestContext,
): Outcome {
  const { platform, steps } = life;
  // Another request may have been quicker, and a lifecycle may have been closed meanwhile.
  if (life.serving !== null || life.closed) return null;
  for (const warning of warnings) platform.log('warn', 'configuration', { problem: problemLine(warning) });
  const parts = steps.compose(config, null);
  putIntoService(life, parts, resolved, null);
  context.defer(life.record(resolved, steps.keeper(parts)));
  if (platform.renewal.by === 'timer' && platform.secrets !== null) {
    life.stopLooking = platform.renewal.start(steps.refreshSeconds(parts) * 1000, () => void renew(life));
  }
  return null;
}

async function close<Parts>(life: Life<Parts>): Promise<void> {
  life.closed = true;
  life.stopLooking?.();
  await life.starting;
  await life.underWay;
}
