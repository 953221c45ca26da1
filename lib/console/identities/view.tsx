import { clockTime, count, share } from '../page/format.ts';
import { Empty, Heading, Notice, Section, Table } from '../page/parts.tsx';
import type { Caller } from './busiest.ts';
import { type Choices, type Named, NameForm, OfName } from './named.tsx';

const MAXIMUM_ROWS = 30;

/** The screen *Identities*. `callers` null: there is no outbox to read. */
export function Identities(props: {
  readonly callers: readonly Caller[] | null;
  readonly isAnswering: boolean;
  readonly named: Named | null;
  readonly choices: Choices;
  readonly mayAct: boolean;
  readonly csrf: string;
}) {
  const { callers, isAnswering, named, choices, mayAct, csrf } = props;
  return (
    <>
      <Heading title="Identities">
        The busiest callers by pseudonym, since records hold no names. Type a name to see its pseudonym and its budgets.
      </Heading>
      {!isAnswering && (
        <Notice kind="bad" title="The outbox does not answer.">
          The list is as old as its last answer. <a href="/health">Health</a> says more.
        </Notice>
      )}
      {named !== null && <OfName named={named} callers={callers ?? []} csrf={csrf} mayAct={mayAct} />}
      <NameForm csrf={csrf} choices={choices} />
      <Section title="Busiest" aside={<span class="quiet">records of the last 15 minutes</span>}>
        <Busiest callers={callers} names={named?.pseudonyms ?? []} />
      </Section>
    </>
  );
}

function Busiest({
  callers,
  names,
}: {
  readonly callers: readonly Caller[] | null;
  readonly names: readonly string[];
}) {
  if (callers === null)
    return <Empty title="There is no outbox to read.">Set TGEFD_REDIS_URL, so that records can be looked at.</Empty>;
  if (callers.length === 0) return <Empty title="No caller was verified lately." />;
  const head = [
    ['Caller', 'wide'],
    ['Requests', 'num'],
    ['Denied', 'num'],
    ['Budgets left', 'wide'],
    ['Last (UTC)', 'nowrap'],
  ] as const;
  const left = callers.length - MAXIMUM_ROWS;
  return (
    <>
      <Table label="Busiest callers" head={head}>
        {callers.slice(0, MAXIMUM_ROWS).map((caller) => (
          <Row caller={caller} isNamed={names.includes(caller.identity)} />
        ))}
      </Table>
      {left > 0 && <p class="quiet">{`${count(left)} callers with fewer requests are not shown.`}</p>}
    </>
  );
}

function Row({ caller, isNamed }: { readonly caller: Caller; readonly isNamed: boolean }) {
  const { identity, requests, denied, budgets, lastRequestId, lastMs } = caller;
  return (
    <tr class={isNamed ? 'is-named' : undefined}>
      <td>
        <code>{identity}</code>
        {isNamed && <span class="sub">the name you typed</span>}
      </td>
      <td class="num" data-label="Requests">
        {count(requests)}
      </td>
      <td class="num" data-label="Denied">
        <span class={denied > 0 ? 'is-bad' : undefined}>
          {denied === 0 ? '0' : `${count(denied)} (${share(denied, requests)})`}
        </span>
      </td>
      <td data-label="Budgets left">
        {budgets.map(({ name, remaining }) => `${name} ${count(remaining)}`).join(', ') || 'none was asked'}
      </td>
      <td class="nowrap" data-label="Last (UTC)">
        <a href={`/why?request_id=${encodeURIComponent(lastRequestId)}`} title="Record of its last request">
          {clockTime(lastMs)}
        </a>
      </td>
    </tr>
  );
}
