import { clockTime, count, duration, visible } from '../page/format.ts';
import { Empty, Figure, Heading, Notice, Section, Table } from '../page/parts.tsx';
import type { Visit } from '../visit.ts';
import { type HealthFacts, healthOf, type IssuerHealth } from './facts.ts';

/** The screen *Health*. */
export async function healthScreen({ desk, nowMs }: Visit) {
  const facts = await healthOf(desk, nowMs);
  return { title: 'Health', at: '/health', body: <Health facts={facts} archiveSeconds={archiveSeconds(desk)} /> };
}

/** Longest time a record waits for the archive while all is well. */
export function archiveSeconds({ composed }: Visit['desk']): number {
  return composed.config.settings.auditArchiveIntervalSeconds + 300;
}

/** One sentence for each thing that is wrong, with what to do about it. */
function troublesOf(facts: HealthFacts, archiveWithinSeconds: number): readonly (readonly [string, string])[] {
  const troubles: (readonly [string, string])[] = [];
  for (const { issuer, keys, lastFailure, misconfigured, ageSeconds } of facts.issuers) {
    if (keys === 0)
      troubles.push([
        `No key of ${visible(issuer)} can be used.`,
        `Its tokens are answered 503 keys_unavailable. ${misconfigured ? 'The configuration must change' : 'Check that the key set URL can be reached'}${lastFailure === null ? '.' : `: ${lastFailure}.`}`,
      ]);
    else if (lastFailure !== null)
      troubles.push([
        `The key set of ${visible(issuer)} could not be fetched again.`,
        `The last good one (${duration(ageSeconds ?? 0)} old) still serves: ${lastFailure}.`,
      ]);
  }
  if (facts.store === 'given_up' || facts.store === 'silent')
    troubles.push([
      'The shared store does not answer.',
      'Revocations, shared budgets and records depend on it: check TGEFD_REDIS_URL, then the database itself.',
    ]);
  if (facts.records.lost > 0)
    troubles.push([
      `${count(facts.records.lost)} records were lost by this process.`,
      'Compare the log: audit_record_lost.',
    ]);
  if (facts.archives && facts.waiting !== null && facts.waiting.lagSeconds > archiveWithinSeconds)
    troubles.push([
      'The archive is behind.',
      `The oldest record waits for ${duration(facts.waiting.lagSeconds)}: look for audit_archive_failed in its log.`,
    ]);
  if (facts.overdueSecrets > 0)
    troubles.push([
      `${facts.overdueSecrets} secrets are overdue for rotation.`,
      'tgefd-authorizer rotate --list names them.',
    ]);
  return troubles;
}

export function Health(props: { readonly facts: HealthFacts; readonly archiveSeconds: number }) {
  const { facts } = props;
  const troubles = troublesOf(facts, props.archiveSeconds);
  return (
    <>
      <Heading title="Health">What decisions rest on, as this process sees it now.</Heading>
      {troubles.length === 0 ? (
        <Notice kind="good" title="Nothing is wrong here." />
      ) : (
        troubles.map(([title, text]) => (
          <Notice kind="bad" title={title}>
            {text}
          </Notice>
        ))
      )}
      {facts.shadow !== null && (
        <Notice kind="warn" title={`A trial is on: ${facts.shadow}.`}>
          403 and 429 are let through meanwhile. `policy shadow` tells who would be refused.
        </Notice>
      )}
      <dl class="figures figures-words">
        <Store facts={facts} />
        <Waiting facts={facts} />
        <Figure
          name="Secrets overdue"
          value={count(facts.overdueSecrets)}
          {...(facts.overdueSecrets > 0 ? { kind: 'warn' as const } : {})}
        />
        <Figure
          name="Records lost"
          value={count(facts.records.lost)}
          note={`${count(facts.records.stored)} stored, ${count(facts.records.spilled)} past the outbox`}
          {...(facts.records.lost > 0 ? { kind: 'bad' as const } : {})}
        />
        <Figure name="Calls refused by egress" value={count(facts.egressRefused)} />
      </dl>
      <Section title="Key sets">
        <KeySets issuers={facts.issuers} />
      </Section>
      <Section title="Versions that decide" aside={<span class="quiet">from the latest records, times in UTC</span>}>
        <Versions facts={facts} />
      </Section>
    </>
  );
}

function Store({ facts }: { readonly facts: HealthFacts }) {
  const words = {
    answers: ['Answers', 'good', undefined],
    given_up: ['Given up for now', 'bad', 'it is tried again by itself'],
    silent: ['No answer', 'bad', undefined],
    none: ['This process', 'warn', 'nothing is shared with others'],
  } as const;
  const [value, kind, note] = words[facts.store];
  return <Figure name="Store" value={value} kind={kind} {...(note === undefined ? {} : { note })} />;
}

function Waiting({ facts: { waiting, hasOutbox, archives } }: { readonly facts: HealthFacts }) {
  if (!hasOutbox) return <Figure name="Records waiting" value="No outbox" />;
  if (waiting === null) return <Figure name="Records waiting" value="Unknown" kind="bad" />;
  const note = archives ? `the oldest for ${duration(waiting.lagSeconds)}` : 'there is no archive to take them';
  return <Figure name="Records waiting" value={count(waiting.entries)} note={note} />;
}

function KeySets({ issuers }: { readonly issuers: readonly IssuerHealth[] }) {
  if (issuers.length === 0) return <Empty title="No key set is read from anywhere." />;
  const head = [['Issuer', 'wide'], ['State'], ['Keys', 'num'], ['Age', 'num'], ['Next fetch', 'num']] as const;
  return (
    <Table label="Key sets" head={head}>
      {issuers.map((each) => (
        <tr>
          <td>
            <code>{visible(each.issuer)}</code>
            {each.lastFailure !== null && <span class="sub">{visible(each.lastFailure)}</span>}
          </td>
          <td data-label="State">
            {each.keys === 0 ? (
              <span class="mark mark-bad">{each.ageSeconds === null ? 'not loaded' : 'no usable key'}</span>
            ) : each.lastFailure !== null ? (
              <span class="mark mark-warn">stale, still serves</span>
            ) : (
              <span class="mark mark-good">good</span>
            )}
          </td>
          <td class="num" data-label="Keys">
            {count(each.keys)}
          </td>
          <td class="num" data-label="Age">
            {each.ageSeconds === null ? '–' : duration(each.ageSeconds)}
          </td>
          <td class="num" data-label="Next fetch">
            {each.nextFetchSeconds === null
              ? '–'
              : each.nextFetchSeconds === 0
                ? 'with the next token'
                : `in ${duration(each.nextFetchSeconds)}`}
          </td>
        </tr>
      ))}
    </Table>
  );
}

function Versions({ facts }: { readonly facts: HealthFacts }) {
  const { versions } = facts;
  if (versions.length === 0)
    return (
      <Empty title="No record tells of an instance.">
        {`This console runs ${facts.build} with the rules ${facts.policy}.`}
      </Empty>
    );
  const head = [
    ['Build', 'wide'],
    ['Rules', 'wide'],
    ['Decisions', 'num'],
    ['Last (UTC)', 'num'],
  ] as const;
  return (
    <>
      {versions.length > 1 && (
        <Notice kind="warn" title="Instances decide by different rules or builds.">
          A roll-out is under way, or one of them was left behind.
        </Notice>
      )}
      <Table label="Versions that decide" head={head}>
        {versions.map((version) => (
          <tr>
            <td>
              <code>{visible(version.build)}</code>
            </td>
            <td data-label="Rules">
              <code>{version.policy || 'not named'}</code>
              {version.isOurs && <span class="sub">the same as this console</span>}
            </td>
            <td class="num" data-label="Decisions">
              {count(version.decisions)}
            </td>
            <td class="num" data-label="Last (UTC)">
              {clockTime(version.lastMs)}
            </td>
          </tr>
        ))}
      </Table>
    </>
  );
}
