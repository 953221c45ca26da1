import type { ArchiveLock, Outbox, Source, Tail } from '../audit/outbox.ts';
import type { Pseudonyms } from '../audit/pseudonym.ts';
import { firstSpellings } from '../config/issuers/spellings.ts';
import type { Config } from '../config/load.ts';
import type { Decision } from '../decision/outcome.ts';
import type { Enforce } from '../decision/pipeline.ts';
import type { RequestContext } from '../decision/ports.ts';
import type { EventsPage } from '../http/events-page.ts';
import type { GatewayParts } from '../http/gateway.ts';
import { createAdministration } from '../http/revocation-api.ts';
import type { Metrics } from '../observe/metrics.ts';
import { METRICS_PATH } from '../request/endpoints/table.ts';
import type { Revocations } from '../revoke/revocation.ts';
import { type Answers, composeAnswers } from './answers.ts';
import { asksAboutTokens } from './authenticate/introspection.ts';
import { keySetStates } from './authenticate/issuers.ts';
import { composeResource } from './authenticate/proofs.ts';
import { type Carried, composeCarried } from './carried.ts';
import { composeDecision, type Deciding } from './decide.ts';
import { composeEvents } from './events/events.ts';
import { metricsAnswer, watchParts } from './observe/observe.ts';
import { composeReadiness } from './observe/readiness.ts';
import { composeRecorder } from './observe/record.ts';
import type { Runtime } from './runtime.ts';
import { shadowNotice } from './shadow.ts';
import { composeSharedParts } from './shared-parts.ts';
import { spelledRevocations } from './spelled-revocations.ts';

/** Everything that decides and answers, wired. */
export interface Composed extends Answers {
  readonly config: Config;
  /** What all of it is made with: a trial of another policy is composed with the same. */
  readonly runtime: Runtime;
  readonly enforce: Enforce;
  /** What `enforce` is made of: pages of our own decide by the same steps about rows of their own. */
  readonly deciding: Deciding;
  /** Metadata of the protected resource, or null where it has no identifier. */
  readonly resource: { readonly identifier: URL; readonly metadata: string } | null;
  /** Takes security events; null where no transmitter is configured. */
  readonly events: EventsPage | null;
  readonly revocations: Revocations;
  readonly pseudonyms: Pseudonyms;
  readonly outbox: (Outbox & Source & ArchiveLock & Tail) | null;
  readonly carried: Carried;
  readonly metrics: Metrics;
  /** The metrics page as it is now; asks the outbox how much it holds. */
  metricsPage(): Promise<string>;
  /** Whether a request could be decided now: what `/readyz` tells. */
  ready(): boolean;
  /** What an operator should read beside `ready`, or null. */
  notice(): string | null;
  /** Loads what can be loaded ahead of the first request. Never rejects. */
  warm(context: RequestContext): Promise<void>;
}

/**
 * The composition root: makes the wired parts of a valid configuration. When only secrets differ from what was composed
 * `before`, everything in memory that decisions need is taken over: key sets, budgets of failed authentications, leases,
 * revocations, an outbox in memory, and all counts. Verified tokens are not: a secret that changed may have verified them.
 */
export function compose(config: Config, runtime: Runtime, before: Composed | null = null): Composed {
  const { settings } = config;
  const { clock } = runtime;
  const shared = composeSharedParts(config, runtime, before);
  const carried = composeCarried(config, runtime, shared, before?.carried ?? null);
  const { pseudonyms, metrics } = shared;
  const { keySets, store } = carried;
  const { admission, outbox, breakerOpen, takeRedisFailures } = store;
  const first = firstSpellings(config.issuers);
  const revocations = spelledRevocations(store.revocations, first);

  const recorder = composeRecorder(config, runtime, outbox, shared.records);
  const { enforce, deciding, probe, examine } = composeDecision(config, runtime, { shared, carried, recorder });
  const metricsPage = watchParts(metrics, {
    keySets: () => keySetStates(config, keySets),
    admission,
    recorder,
    outbox,
    breakerOpen,
    takeRedisFailures,
  });
  // Without a spelling an issuer is whatever its tokens say.
  const anyIssuer = config.issuers.some(({ spellings }) => spellings.length === 0);
  const knowsIssuer = (issuer: string) => anyIssuer || first.has(issuer);
  const administer = administrationWith(
    metricsPage,
    createAdministration({ revocations, pseudonyms, clock, knowsIssuer }),
  );
  return {
    config,
    runtime,
    enforce,
    deciding,
    ...composeAnswers(config, runtime, { enforce, probe, administer }),
    resource: composeResource(config),
    events: composeEvents(config, runtime, { examine, shared, carried, recorder }),
    revocations,
    pseudonyms,
    outbox,
    carried,
    metrics,
    metricsPage,
    notice: () => shadowNotice(settings, clock()),
    ...composeReadiness(settings, {
      keySets,
      asksAboutTokens: asksAboutTokens(config),
      recorder,
      outbox,
      warmUp: store.warmUp,
    }),
  };
}

/** Our own endpoints: the metrics page, and the revocations. */
function administrationWith(
  metricsPage: () => Promise<string>,
  administer: (decision: Decision, request: Request) => Promise<Response>,
): GatewayParts['administer'] {
  return async (decision, request) =>
    decision.path === METRICS_PATH ? metricsAnswer(await metricsPage(), decision) : administer(decision, request);
}
