import type { AuditRecord } from '../../audit/schema.ts';
import { adviceFor } from '../denied/advice.ts';
import { dateTime, visible } from '../page/format.ts';
import { Empty, Facts, Notice, Section } from '../page/parts.tsx';
import { endpointOf } from '../records/summary.ts';

export interface FoundRecords {
  readonly records: readonly AuditRecord[];
  /** Places that could not be searched. */
  readonly notSearched: readonly string[];
}

/** The records of one request id. */
export function Found({ found, requestId }: { readonly found: FoundRecords; readonly requestId: string }) {
  return (
    <>
      {found.notSearched.length > 0 && (
        <Notice kind="bad" title="Not everything could be searched.">
          {found.notSearched.join('; ')}
        </Notice>
      )}
      {found.records.length === 0 && (
        <Empty title={`There is no record of ${visible(requestId, 130)}.`}>
          It may be older than what is kept, or the id belongs to another system. Health checks leave no record.
        </Empty>
      )}
      {found.records.map((record) => (
        <RecordSheet record={record} />
      ))}
    </>
  );
}

function RecordSheet({ record }: { readonly record: AuditRecord }) {
  const denied = record.outcome !== 'allowed';
  const facts: readonly (readonly [string, string | null])[] = [
    ['time', `${dateTime(Date.parse(record.ts))} UTC`],
    ['endpoint', endpointOf(record)],
    ['action', record.action],
    ['caller', record.identity ?? 'nobody was verified'],
    ['credential', record.auth_method],
    ['key', record.key_id],
    ['address', record.client_address],
    ['way in', record.door],
    ['budgets left', record.budgets.map(({ name, remaining }) => `${name} ${remaining}`).join(', ') || null],
    ['degraded', record.degraded.join(', ') || null],
    ['took', `${record.latency_ms} ms`],
    ['rules', record.policy ?? null],
    ['build', record.build ?? null],
    ['decision', record.id],
  ];
  return (
    <Section title={`Record of ${record.request_id}`}>
      <Notice
        kind={denied ? 'bad' : 'good'}
        title={
          denied
            ? `${record.outcome === 'denied' ? 'Denied' : 'Would be denied'}: ${record.status} ${record.code ?? ''}, because ${record.reason ?? ''}`
            : 'Allowed'
        }
      >
        {denied && (
          <>
            {record.reason_detail !== null && <p>{visible(record.reason_detail)}</p>}
            <p>{adviceFor(record.reason ?? '')}</p>
          </>
        )}
      </Notice>
      <dl class="facts facts-sheet">
        <Facts of={facts.flatMap(([name, value]) => (value === null ? [] : [[name, value] as const]))} />
      </dl>
    </Section>
  );
}
