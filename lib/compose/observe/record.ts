import type { Outbox } from '../../audit/outbox.ts';
import type { Pseudonyms } from '../../audit/pseudonym.ts';
import { auditRecord } from '../../audit/record.ts';
import { createRecorder, type Recorder, type RecorderTally } from '../../audit/recorder.ts';
import type { EventRecord } from '../../audit/schema.ts';
import { BUILD } from '../../config/build.ts';
import type { Config } from '../../config/load.ts';
import { policyHash } from '../../config/policy/policy-hash.ts';
import type { Decision } from '../../decision/outcome.ts';
import type { RequestContext } from '../../decision/ports.ts';
import type { Eventually } from '../../decision/steps.ts';
import { codeOf, statusOf } from '../../respond/denial.ts';
import type { Runtime } from '../runtime.ts';

/** Where records go: the outbox, object storage behind it, and lines; on trial, nowhere. */
export function composeRecorder(
  { settings }: Config,
  runtime: Runtime,
  outbox: Outbox | null,
  tally: RecorderTally,
): Recorder {
  return createRecorder(
    {
      mode: outbox === null || runtime.trial ? 'off' : settings.auditMode,
      alarmDepth: Math.ceil(settings.auditStreamMaximum / 2),
      outboxRestMs: 1000,
    },
    {
      outbox,
      spill: runtime.spill,
      line: runtime.trial ? null : runtime.auditLine,
      stopwatch: runtime.stopwatch ?? runtime.clock,
      log: runtime.log,
    },
    tally,
  );
}

/** Builds and hands over the record of a decision; without a promise where every pseudonym is at hand. */
export function recording(config: Config, recorder: Recorder, pseudonyms: Pseudonyms) {
  const rules = rulesInForce(config);
  return (decision: Decision, context: RequestContext, event?: EventRecord) => {
    if (recorder.idle) return null;
    const { principal, boundary } = decision;
    const denial = decision.denial ?? decision.wouldDeny;
    const identity = principal && principal.method !== 'none' ? pseudonyms.of('identity', principal.identity) : null;
    const address = boundary.addressPartition === null ? null : pseudonyms.of('address', boundary.addressPartition);
    const policy = rules.hash();
    const record = (identityName: string | null, addressName: string | null, policy: string) =>
      recorder.record(
        auditRecord(decision, {
          identity: identityName,
          clientAddress: addressName,
          status: decision.denial ? statusOf(decision.denial) : 200,
          code: denial && codeOf(denial),
          policy,
          build: BUILD,
          shadow: shadowFact(decision),
          event,
        }),
        context,
      );
    if (!(identity instanceof Promise) && !(address instanceof Promise) && !(policy instanceof Promise))
      return record(identity, address, policy);
    return Promise.all([identity, address, policy]).then(
      async ([one, other, hash]) => (await record(one, other, hash)) ?? 'recorded',
    );
  };
}

/** The hash of the rules, worked out once. Until it is known each request works it out for itself: no promise is shared. */
function rulesInForce(config: Config): { hash(): Eventually<string> } {
  let known: string | null = null;
  return {
    hash: () =>
      known ??
      policyHash(config).then((hash) => {
        known = hash;
        return hash;
      }),
  };
}

function shadowFact({ shadow }: Decision) {
  if (shadow === null) return null;
  const { denial } = shadow;
  return denial === null
    ? ({ outcome: 'allowed', code: null } as const)
    : { outcome: 'denied' as const, code: codeOf(denial) };
}
