import type { BudgetState } from '../../decision/outcome.ts';
import { count, duration, visible } from '../page/format.ts';
import { Csrf, Empty, Field, Notice, Section, Table } from '../page/parts.tsx';
import type { Caller } from './busiest.ts';

/** What was asked about one name, and what came out. */
export interface Named {
  readonly name: string;
  readonly issuer: string | null;
  /** The plan that counts, where it is known. */
  readonly plan: string | null;
  /** Of every pseudonym key in use, the current one first; empty where the name can be none. */
  readonly pseudonyms: readonly string[];
  readonly budgets: readonly BudgetState[] | null;
  readonly problem: string | null;
}

/** What decides about the budgets of a caller besides its name, where the configuration has any of it. */
export interface Choices {
  readonly issuers: readonly string[];
  readonly plans: readonly string[];
  readonly roles: readonly string[];
}

/** Asks for a name. */
export function NameForm({ csrf, choices }: { readonly csrf: string; readonly choices: Choices }) {
  return (
    <form class="sheet form" method="post" action="/identities" autocomplete="off">
      <Csrf token={csrf} />
      <Field
        label="Name"
        name="name"
        help="Subject of a token, id of an API key or name of a certificate. It is not stored and not recorded."
      >
        <input type="text" id="name" name="name" required spellcheck={false} aria-describedby="name-help" />
      </Field>
      <Choice label="Issuer" name="issuer" nothing="None: no token" values={choices.issuers} chosen={0} />
      <Choice label="Plan in its token" name="plan" nothing="None" values={choices.plans} />
      <Choice label="Role" name="role" nothing="None" values={choices.roles} />
      <div class="actions">
        <button type="submit">Show what is left</button>
      </div>
    </form>
  );
}

function Choice(props: {
  readonly label: string;
  readonly name: string;
  readonly nothing: string;
  readonly values: readonly string[];
  readonly chosen?: number;
}) {
  const { name, values } = props;
  if (values.length === 0) return null;
  return (
    <Field label={props.label} name={name}>
      <select id={name} name={name}>
        <option value="">{props.nothing}</option>
        {values.map((value, place) => (
          <option value={value} selected={place === props.chosen}>
            {visible(value, 80)}
          </option>
        ))}
      </select>
    </Field>
  );
}

/** Everything that is known about a name. */
export function OfName(props: {
  readonly named: Named;
  readonly callers: readonly Caller[];
  readonly csrf: string;
  readonly mayAct: boolean;
}) {
  const { named, callers } = props;
  const { name, issuer, plan, pseudonyms, budgets, problem } = named;
  const seen = callers.filter(({ identity }) => pseudonyms.includes(identity));
  const [requests, denied] = [sum(seen, 'requests'), sum(seen, 'denied')];
  return (
    <Section title={`About ${visible(name, 80)}`}>
      {problem !== null && <Notice kind="warn" title={problem} />}
      {pseudonyms.length > 0 && (
        <dl class="facts facts-sheet">
          <dt>pseudonym</dt>
          <dd>
            {pseudonyms.map((pseudonym) => (
              <code class="block">{pseudonym}</code>
            ))}
          </dd>
          <dt>lately</dt>
          <dd>{requests === 0 ? 'no request' : `${count(requests)} requests, ${count(denied)} of them denied`}</dd>
          {plan !== null && (
            <>
              <dt>plan</dt>
              <dd>{visible(plan, 128)}</dd>
            </>
          )}
        </dl>
      )}
      {budgets !== null && <Budgets budgets={budgets} />}
      {props.mayAct && pseudonyms.length > 0 && (
        <form class="actions" method="post" action="/revoke">
          <Csrf token={props.csrf} />
          <input type="hidden" name="kind" value="sub" />
          <input type="hidden" name="id" value={name} />
          <input type="hidden" name="issuer" value={issuer ?? ''} />
          <button class="second" type="submit">
            Revoke this caller…
          </button>
          <span class="help">Asks before it does.</span>
        </form>
      )}
    </Section>
  );
}

function sum(callers: readonly Caller[], name: 'requests' | 'denied'): number {
  return callers.reduce((all, caller) => all + caller[name], 0);
}

function Budgets({ budgets }: { readonly budgets: readonly BudgetState[] }) {
  if (budgets.length === 0) return <Empty title="No budget applies to this caller." />;
  const head = [['Budget', 'nowrap'], ['Left', 'num'], ['Of', 'num'], ['In', 'wide'], ['Full again']] as const;
  return (
    <Table label="Budgets left" head={head}>
      {budgets.map(({ name, remaining, quota, windowSeconds, resetSeconds }) => (
        <tr>
          <th scope="row">{name}</th>
          <td class="num" data-label="Left">
            <span class={remaining === 0 ? 'count is-bad' : 'count'}>{count(remaining)}</span>
          </td>
          <td class="num" data-label="Of">
            {count(quota)}
          </td>
          <td data-label="In">
            <span>
              {duration(windowSeconds)}
              <Meter part={remaining} whole={quota} />
            </span>
          </td>
          <td data-label="Full again">
            {remaining >= quota ? 'is full' : `${remaining === 0 ? 'one more' : 'full'} in ${duration(resetSeconds)}`}
          </td>
        </tr>
      ))}
    </Table>
  );
}

const METER = 120;

/** How much of a budget is left, as a bar; the figures beside it say the same. */
function Meter({ part, whole }: { readonly part: number; readonly whole: number }) {
  const width = whole === 0 ? 0 : Math.round(Math.min(1, part / whole) * METER);
  return (
    <svg class="meter" viewBox={`0 0 ${METER} 6`} aria-hidden="true">
      <rect class="meter-ground" width={METER} height="6" rx="3" />
      <rect class={width < METER / 5 ? 'meter-low' : 'meter-value'} width={width} height="6" rx="3" />
    </svg>
  );
}
