import type { Outbox } from '../audit/outbox.ts';
import type { Pseudonyms } from '../audit/pseudonym.ts';
import { auditRecord } from '../audit/record.ts';
import { createRecorder, type Recorder, type RecorderTally } from '../audit/recorder.ts';
import type { Config } from '../config/load.ts';
import type { Decision } from '../decision/outcome.ts';
import type { RequestContext } from '../decision/ports.ts';
import { codeOf, statusOf } from '../respond/denial.ts';
import type { Runtime } from './runtime.ts';

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
      clock: runtime.clock,
      log: runtime.log,
    },
    tally,
  );
}

/** Builds and hands over the record of a decision; without a promise where every pseudonym is at hand. */
export function recording(recorder: Recorder, pseudonyms: Pseudonyms) {
  return (decision: Decision, context: RequestContext) => {
    if (recorder.idle) return null;
    const { principal, boundary, denial } = decision;
    const identity = principal && principal.method !== 'none' ? pseudonyms.of('identity', principal.identity) : null;
    const address = boundary.addressPartition === null ? null : pseudonyms.of('address', boundary.addressPartition);
    const record = (identityName: string | null, addressName: string | null) =>
      recorder.record(
        auditRecord(decision, {
          identity: identityName,
          clientAddress: addressName,
          status: denial ? statusOf(denial) : 200,
          code: denial && codeOf(denial),
        }),
        context,
      );
    if (!(identity instanceof Promise) && !(address instanceof Promise)) return record(identity, address);
    return Promise.all([identity, address]).then(async ([one, other]) => (await record(one, other)) ?? 'recorded');
  };
}
