import type { PolicyDifference, RowAccess } from '../../policy/diff/compare.ts';
import { demandOf } from '../../policy/explain/explanation.ts';
import { count, visible } from '../page/format.ts';
import { Empty, Heading, Notice, Section, Table } from '../page/parts.tsx';
import type { Observed } from './observed.ts';
import { CaseTest, Result } from './test-case.tsx';
import { Trial } from './trial.tsx';

/** So many kinds of callers are named at once; more are folded. */
const MAXIMUM_LISTED = 4;

/** The screen *Policy*: the table in force, who may what by it, and what a trial would change. */
export function PolicyScreen(
  props: {
    readonly rows: readonly RowAccess[];
    readonly hash: string;
    readonly demandsScopes: boolean;
    readonly shadow: PolicyDifference | null;
    readonly notice: string | null;
    readonly isAnswering: boolean;
    readonly observed: readonly Observed[];
    readonly result: Parameters<typeof Result>[0]['result'] | null;
    readonly problem: string | null;
  } & Parameters<typeof CaseTest>[0],
) {
  const { rows, hash, result, asked, problem, notice, isAnswering } = props;
  return (
    <>
      <Heading title="Policy">
        The table that decides here, and who may what by it. Records name it by its hash: <code>{hash}</code>
      </Heading>
      {!props.demandsScopes && (
        <Notice kind="warn" title="Scopes are not demanded: TGEFD_RBAC_ENABLED is false.">
          Every authenticated caller may use every row.
        </Notice>
      )}
      {notice !== null && <Notice kind="warn" title={`On trial: ${notice}.`} />}
      {problem !== null && <Notice kind="bad" title={problem} />}
      {result !== null && <Result result={result} asked={asked} />}
      <Section title="Test a case">
        <CaseTest csrf={props.csrf} asked={asked} ways={props.ways} />
      </Section>
      <Section title="Who may what" aside={<span class="quiet">by every scope, role and issuer in use</span>}>
        <Rows rows={rows} />
      </Section>
      <Section title="Trial">
        {!isAnswering && (
          <Notice kind="bad" title="The outbox does not answer.">
            Differences that requests showed are as old as its last answer. <a href="/health">Health</a> says more.
          </Notice>
        )}
        <Trial shadow={props.shadow} observed={props.observed} />
      </Section>
    </>
  );
}

function Rows({ rows }: { readonly rows: readonly RowAccess[] }) {
  if (rows.length === 0) return <Empty title="The table is empty: every request is 404." />;
  const head = [['Endpoint', 'wide'], ['Demands', 'wide'], ['Budget'], ['Who may', 'wide']] as const;
  return (
    <Table label="Rows of the endpoint table" head={head}>
      {rows.map(({ row, endpoint, allowed, refused }) => (
        <tr>
          <td>
            <code>{visible(endpoint)}</code>
            <span class="sub">{row.action}</span>
          </td>
          <td data-label="Demands">
            <span>
              {visible(demandOf(row))}
              {conditionsOf(row).map((text) => (
                <span class="sub">{visible(text)}</span>
              ))}
            </span>
          </td>
          <td data-label="Budget">{row.budget}</td>
          <td data-label="Who may">
            <Callers allowed={allowed} all={allowed.length + refused.length} />
          </td>
        </tr>
      ))}
    </Table>
  );
}

function Callers({ allowed, all }: { readonly allowed: readonly string[]; readonly all: number }) {
  if (allowed.length === 0) return <span class="is-bad">nobody</span>;
  if (allowed.length === all) return <span>every authenticated caller</span>;
  if (allowed.length <= MAXIMUM_LISTED) return <span>{visible(allowed.join(', '), 400)}</span>;
  return (
    <details>
      <summary>{`${count(allowed.length)} of ${count(all)} kinds of callers`}</summary>
      <ul class="list">
        {allowed.map((caller) => (
          <li>{visible(caller)}</li>
        ))}
      </ul>
    </details>
  );
}

function conditionsOf({ auth, issuers, claims, stepUp }: RowAccess['row']): readonly string[] {
  return [
    ...(auth === undefined ? [] : [`by ${auth.join(' or ')} only`]),
    ...(issuers === undefined ? [] : [`issuers ${issuers.join(', ')}`]),
    ...(claims ?? []).map(({ path, values }) => `claim ${path} is ${values.join(' or ')}`),
    ...(stepUp === undefined ? [] : [`signed in again: ${[...stepUp.acr, stepUp.maximumAgeSeconds ?? ''].join(' ')}`]),
  ];
}
