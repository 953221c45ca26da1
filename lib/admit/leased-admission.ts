import type { AdmissionAnswer, Budget } from '../decision/outcome.ts';
import type { Clock, RequestContext } from '../decision/ports.ts';
import { createFallback, type FallbackSettings, refuserOf } from '../limit/fallback.ts';
import { createLeases, type LeaseSettings, type Leases, type Message, type Plan } from '../limit/lease/leases.ts';
import { createRevocationSnapshot, type RevocationSnapshot, type SnapshotSettings } from '../revoke/snapshot.ts';
import type { Admit, NamedQuestion } from './exact-admission.ts';
import type { SharedStore } from './shared-store.ts';

export interface LeasedAdmission {
  readonly admit: Admit;
  readonly snapshot: Pick<RevocationSnapshot, 'state'>;
}

/**
 * Decides without a trip where a fresh snapshot tells that the credential is not revoked and leases hold a token of every
 * budget, or where a budget is known to be empty; what is used up is renewed in the background of the request. Everything
 * else, every proof that counts once included, is one trip that brings all of it: the decision, new leases and what changed among the revocations.
 */
export function createLeasedAdmission(
  settings: FallbackSettings & LeaseSettings & SnapshotSettings,
  store: SharedStore,
  { clock, steady }: { readonly clock: Clock; readonly steady: Clock },
): LeasedAdmission {
  const leasing: Leasing = {
    leases: createLeases(settings),
    snapshot: createRevocationSnapshot(settings, clock),
    fallback: createFallback(settings, steady),
    store,
    steady,
  };
  const { leases, snapshot } = leasing;

  return {
    snapshot,
    admit(question, context) {
      const { partition, budgets, fields, issuedAtSeconds } = question;
      const nowMs = steady();
      const revocationKnown = fields.length === 0 || snapshot.isFresh(nowMs);
      if (fields.length > 0 && revocationKnown) {
        const by = snapshot.check(fields, issuedAtSeconds);
        if (by !== null) return { outcome: 'revoked', by };
      }
      const plan = leases.plan(partition ?? '', budgets, nowMs);
      if (plan.refuser !== null) {
        leases.release(plan);
        renew(leasing, question, plan, nowMs, context);
        return { outcome: 'exhausted', ...plan.refuser, budgets: leases.states(plan, nowMs), degraded: [] };
      }
      if (!revocationKnown || plan.kind === 'ask' || question.proof !== undefined)
        return ask(leasing, question, plan, revocationKnown);
      leases.commit(plan);
      renew(leasing, question, plan, nowMs, context);
      return { outcome: 'admitted', budgets: leases.states(plan, nowMs), degraded: [] };
    },
  };
}

/** What every step of a leased admission works with. */
interface Leasing {
  readonly leases: Leases;
  readonly snapshot: RevocationSnapshot;
  readonly fallback: ReturnType<typeof createFallback>;
  readonly store: SharedStore;
  readonly steady: Clock;
}

/** Renews in the background what is due: leases, the snapshot, or both in one trip. */
function renew(leasing: Leasing, question: NamedQuestion, plan: Plan, nowMs: number, context: RequestContext): void {
  const { leases, snapshot } = leasing;
  const message = leases.refill(plan, nowMs);
  const snapshotDue = question.fields.length > 0 && snapshot.refreshDue(nowMs);
  if (message !== null || snapshotDue) context.defer(trip(leasing, question, message ?? NOTHING, true, nowMs));
  const stray = leases.stray(nowMs);
  if (stray !== null)
    context.defer(trip(leasing, { ...ABOUT_LEASES, partition: stray.partition }, stray.message, true, nowMs));
}

/** One trip to the store: its answer is taken into the leases and the snapshot. */
async function trip(
  { leases, snapshot, store, steady }: Leasing,
  question: NamedQuestion,
  message: Message,
  revocationKnown: boolean,
  askedAtMs: number,
  proof?: NamedQuestion['proof'],
) {
  const hasCredential = question.fields.length > 0;
  const knownVersion = hasCredential ? snapshot.version() : null;
  const finding = await store.ask({
    partition: question.partition,
    demands: message.demands,
    fields: revocationKnown ? [] : question.fields,
    issuedAtSeconds: question.issuedAtSeconds,
    knownVersion,
    proof,
  });
  const settlement = finding.found === 'settled' ? finding.settlement : null;
  leases.settle(message, settlement, askedAtMs, steady());
  if (hasCredential && finding.found === 'settled') snapshot.apply(knownVersion, finding.changes, askedAtMs);
  return finding;
}

/** Asks the store for the decision itself. */
async function ask(
  leasing: Leasing,
  question: NamedQuestion,
  plan: Plan,
  revocationKnown: boolean,
): Promise<AdmissionAnswer> {
  const { leases, steady } = leasing;
  const askedAtMs = steady();
  const message = leases.ask(plan, askedAtMs);
  const finding = await trip(leasing, question, message, revocationKnown, askedAtMs, question.proof);
  if (finding.found === 'settled' && finding.settlement.allowed) {
    leases.commit(plan);
    return { outcome: 'admitted', budgets: leases.states(plan, steady()), degraded: [] };
  }
  if (finding.found === 'nothing')
    return decideAlone(leasing, question, plan, {
      revocationUnknown: !revocationKnown || question.proof !== undefined,
      retryAfterSeconds: finding.retryAfterSeconds,
    });
  if (finding.found === 'settled' && leases.claim(plan, steady())) {
    return { outcome: 'admitted', budgets: leases.states(plan, steady()), degraded: [] };
  }
  leases.release(plan);
  if (finding.found === 'revoked') return { outcome: 'revoked', by: finding.by };
  if (finding.found === 'replayed') return { outcome: 'replayed' };
  const asked = plan.items.map(({ budget }) => budget);
  const refuser = refuserOf(asked, finding.settlement);
  return { outcome: 'exhausted', ...refuser, budgets: leases.states(plan, steady()), degraded: [] };
}

/** Decides without the store, which does not answer: about the tokens that no lease holds. */
function decideAlone(
  { leases, fallback }: Leasing,
  { partition }: NamedQuestion,
  plan: Plan,
  known: { readonly revocationUnknown: boolean; readonly retryAfterSeconds: number },
): AdmissionAnswer {
  const missing: Budget[] = plan.items.flatMap(({ budget, reserved }) => (reserved ? [] : [budget]));
  const answer = fallback({ partition, budgets: missing, ...known });
  if (answer.outcome === 'admitted') leases.commit(plan);
  else leases.release(plan);
  return answer;
}

const NOTHING: Message = { partition: '', demands: [], about: [] };
const ABOUT_LEASES: NamedQuestion = { partition: null, budgets: [], fields: [], issuedAtSeconds: null };
