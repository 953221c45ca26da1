import type { BudgetDesk } from '../admit/budget-desk.ts';
import { recordBudgetChange } from '../audit/budget-change.ts';
import { isSubject, subjectAt } from '../authenticate/jwt/subject.ts';
import { createUlids } from '../codec/ulid.ts';
import { budgetsOfCaller } from '../compose/admit/quotas.ts';
import type { Composed } from '../compose/authorizer.ts';
import { firstSpellings } from '../config/issuers/spellings.ts';
import type { Budget, BudgetState } from '../decision/outcome.ts';
import { command, Failure, type Group, type Output, Usage } from './command.ts';
import { composeForCommand, storeFailure } from './compose.ts';
import type { Options, Values } from './line/words.ts';

const callerOptions = {
  identity: { type: 'string', value: 'NAME', required: true, means: 'The caller, by the subject of its tokens.' },
  issuer: { type: 'string', value: 'URL', means: 'Issuer of the subject, if several are configured.' },
  role: { type: 'string', multiple: true, value: 'ROLE', means: 'A role of the caller, if budgets depend on it.' },
  plan: { type: 'string', value: 'PLAN', means: 'Plan of the caller, as TGEFD_PLANS names it.' },
  budget: { type: 'string', value: 'NAME', means: 'One budget, such as general-day. Without it: all of them.' },
} as const satisfies Options;

type CallerValues = Values<typeof callerOptions>;

const STATES = 'A list of budgets: `name`, `quota`, `windowSeconds`, `remaining`, `resetSeconds`.';

const show = command({
  summary: 'Shows the remaining budgets of an identity.',
  options: callerOptions,
  examples: [{ line: 'limits show --identity alice', does: 'Shows every budget of alice.' }],
  json: STATES,
  async run(values, console) {
    return tell(await openBudgets(values, console), console);
  },
});

const reset = command({
  summary: 'Makes the budgets of an identity full, and records this.',
  options: callerOptions,
  examples: [{ line: 'limits reset --identity alice --budget general', does: 'Makes one budget of alice full.' }],
  json: STATES,
  async run(values, console) {
    const opened = await openBudgets(values, console);
    if (!(await opened.desk.reset(opened.partition, opened.budgets))) throw storeFailure(opened.composed);
    await record({ ...opened, action: 'reset', tokens: null });
    return tell(opened, console);
  },
});

const grant = command({
  summary: 'Grants an identity more requests for the current day or month, and records this.',
  options: {
    ...callerOptions,
    requests: { type: 'string', value: 'N', required: true, means: 'Number of requests, a whole number above 0.' },
  },
  examples: [
    {
      line: 'limits grant --identity alice --budget general-day --requests 500',
      does: 'Allows alice 500 more requests today.',
    },
  ],
  json: STATES,
  async run({ requests, ...values }, console) {
    if (!/^[1-9]\d{0,8}$/.test(requests)) throw new Usage('--requests is a whole number above 0');
    if (values.budget === undefined) throw new Usage(GRANT_NEEDS);
    const opened = await openBudgets(values, console);
    const [budget] = opened.budgets;
    if (budget?.period === undefined) throw new Usage(GRANT_NEEDS);
    const tokens = Number(requests);
    const isGranted = await opened.desk.grant(opened.partition, { ...budget, period: budget.period }, tokens);
    if (!isGranted) throw storeFailure(opened.composed);
    await record({ ...opened, action: 'grant', tokens });
    return tell(opened, console);
  },
});

const GRANT_NEEDS = 'grant needs --budget with a quota of the day or month, such as general-day';

/** Shows, resets and grants budgets of one identity. */
export const limits: Group = {
  summary: 'Shows the remaining budgets of an identity, makes them full, or grants more.',
  commands: { show, reset, grant },
  fallback: 'show',
};

/** The budgets of one identity in the store that authorizers share. */
interface OpenBudgets {
  readonly desk: BudgetDesk;
  readonly composed: Composed;
  readonly partition: string;
  readonly budgets: readonly Budget[];
}

async function openBudgets(values: CallerValues, console: Output): Promise<OpenBudgets> {
  const { identity, issuer, role, plan, budget } = values;
  if (!isSubject(identity)) throw new Usage('--identity has at least one character, and no control characters');
  const composed = await composeForCommand(console);
  const { desk } = composed.carried.store;
  if (desk === null)
    throw new Failure(
      'not_configured',
      'TGEFD_REDIS_URL: found nothing; accepted: the store that the authorizers share',
    );
  const all = budgetsOfCaller(composed.config, { subject: identity, roles: role, plan });
  if (all === null) throw new Usage('--plan is no plan of TGEFD_PLANS');
  const budgets = budget === undefined ? all : all.filter(({ name }) => name === budget);
  if (budgets.length === 0)
    throw new Failure(
      'input_invalid',
      all.length === 0
        ? 'this identity has no budget: no limit is configured'
        : `no such budget; those of this identity: ${all.map(({ name }) => name).join(', ')}`,
    );
  const first = firstSpellings(composed.config.issuers);
  const name = issuer === undefined ? identity : subjectAt(first.get(issuer) ?? issuer, identity);
  return { desk, composed, partition: await composed.pseudonyms.of('identity', name), budgets };
}

async function tell({ desk, composed, partition, budgets }: OpenBudgets, console: Output): Promise<number> {
  const states = await desk.show(partition, budgets);
  if (states === null) throw storeFailure(composed);
  console.answer(states);
  console.table(['BUDGET', 'LEFT', 'NEXT'], states.map(shown));
  return 0;
}

interface Change extends OpenBudgets {
  readonly action: 'reset' | 'grant';
  readonly tokens: number | null;
}

/** Records a change that is done; says so where its record could not be stored. */
async function record({ action, tokens, composed, partition, budgets }: Change): Promise<void> {
  const facts = {
    id: createUlids(() => Date.now())(),
    atMs: Date.now(),
    action,
    identity: partition,
    budgets: budgets.map(({ name }) => name),
    tokens,
  };
  const isRecorded = composed.outbox !== null && (await recordBudgetChange(facts, composed.outbox));
  if (!isRecorded)
    throw new Failure('unavailable', 'done, but there is no audit record of it: the outbox did not take it');
}

function shown({ name, quota, windowSeconds, remaining, resetSeconds }: BudgetState): string[] {
  const when = `${remaining > 0 ? 'full' : 'next'} in ${resetSeconds} s`;
  return [name, `${remaining} left of ${quota} in ${windowSeconds} s`, when];
}
