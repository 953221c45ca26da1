import type { BudgetDesk } from '../admit/budget-desk.ts';
import { recordBudgetChange } from '../audit/budget-change.ts';
import { isSubject, subjectAt } from '../authenticate/jwt/subject.ts';
import { createUlids } from '../codec/ulid.ts';
import { quotaSettings } from '../compose/admit/quotas.ts';
import type { Composed } from '../compose/authorizer.ts';
import type { Budget, BudgetState } from '../decision/outcome.ts';
import { createQuotas, type QuotaCaller } from '../limit/quotas.ts';
import { type Command, type Console, options, Usage } from './command.ts';
import { composeForCommand } from './compose.ts';

const verbs = ['show', 'reset', 'grant'] as const;

/** Shows, resets and grants budgets of one identity. */
export const limits: Command = {
  summary: 'shows what is left to an identity, makes its budgets full, or grants it more',
  usage:
    'limits show | reset | grant  --identity NAME [--issuer URL] [--role ROLE …] [--plan PLAN] [--budget NAME] [--requests N] [--json]',
  async run(args, console) {
    const { positionals, values } = options(
      args,
      {
        identity: { type: 'string' },
        issuer: { type: 'string' },
        role: { type: 'string', multiple: true },
        plan: { type: 'string' },
        budget: { type: 'string' },
        requests: { type: 'string' },
        json: { type: 'boolean', default: false },
      },
      true,
    );
    const verb = verbs.find((known) => known === (positionals[0] ?? 'show'));
    if (verb === undefined || positionals.length > 1) throw new Usage(`not understood: ${positionals.join(' ')}`);
    const { identity } = values;
    if (!isSubject(identity)) throw new Usage('--identity is needed, without control characters');
    const requests = requestsOf(verb, values.requests);
    const wanted = { subject: identity, issuer: values.issuer, roles: values.role ?? [], plan: values.plan };

    const composed = await composeForCommand(console);
    const desk = composed?.carried.store.desk ?? null;
    if (!composed) return 1;
    if (desk === null) {
      console.err('TGEFD_REDIS_URL: found nothing; accepted: the store that the authorizers share');
      return 1;
    }
    const all = budgetsOf(composed, wanted);
    const budgets = values.budget === undefined ? all : all.filter(({ name }) => name === values.budget);
    if (budgets.length === 0) {
      console.err(`no such budget; those of this identity: ${all.map(({ name }) => name).join(', ') || 'none'}`);
      return 1;
    }
    const name = wanted.issuer === undefined ? identity : subjectAt(wanted.issuer, identity);
    const partition = await composed.pseudonyms.of('identity', name);
    if (verb !== 'show' && !(await change(verb, { desk, composed, partition, budgets, requests, console }))) return 1;
    const states = await desk.show(partition, budgets);
    if (states === null) return unanswered(console);
    if (values.json) console.out(JSON.stringify(states));
    else for (const state of states) console.out(shown(state));
    return 0;
  },
};

interface Change {
  readonly desk: BudgetDesk;
  readonly composed: Composed;
  readonly partition: string;
  readonly budgets: readonly Budget[];
  readonly requests: number;
  readonly console: Console;
}

/** Changes budgets and records that; the change is told even where its record could not be stored. */
async function change(action: 'reset' | 'grant', { desk, composed, partition, budgets, requests, console }: Change) {
  if (action === 'grant') {
    const [budget] = budgets;
    if (budget?.period === undefined || budgets.length > 1)
      throw new Usage('grant needs --budget with a quota of the day or month, such as general-day');
    if (!(await desk.grant(partition, { ...budget, period: budget.period }, requests)))
      return unanswered(console) === 0;
  } else if (!(await desk.reset(partition, budgets))) {
    return unanswered(console) === 0;
  }
  const facts = {
    id: createUlids(() => Date.now())(),
    atMs: Date.now(),
    action,
    identity: partition,
    budgets: budgets.map(({ name }) => name),
    tokens: action === 'grant' ? requests : null,
  };
  const isRecorded = composed.outbox !== null && (await recordBudgetChange(facts, composed.outbox));
  if (!isRecorded) console.err('done, but there is no audit record of it: the outbox did not take it');
  return isRecorded;
}

function requestsOf(verb: string, text: string | undefined): number {
  if (verb !== 'grant') {
    if (text !== undefined) throw new Usage('--requests goes with grant');
    return 0;
  }
  if (text === undefined || !/^[1-9]\d{0,8}$/.test(text)) throw new Usage('--requests is a whole number above 0');
  return Number(text);
}

/** Every budget of a caller of this kind, as the configuration has it. */
function budgetsOf(
  { config }: Composed,
  wanted: { readonly subject: string; readonly roles: readonly string[]; readonly plan: string | undefined },
): readonly Budget[] {
  const settings = quotaSettings(config);
  const { plan } = wanted;
  if (plan !== undefined && !settings.plans.has(plan)) throw new Usage('--plan is no plan of TGEFD_PLANS');
  const caller: QuotaCaller = {
    subject: wanted.subject,
    roles: wanted.roles.map((role) => role.toLowerCase()),
    claims: plan === undefined ? null : {},
  };
  const planClaim = plan === undefined ? null : { text: 'plan', read: () => plan };
  return createQuotas({ ...settings, planClaim }, () => {})(caller, 'heavy');
}

function unanswered(console: Console): number {
  console.err('the store does not answer; try again');
  return 1;
}

function shown({ name, quota, windowSeconds, remaining, resetSeconds }: BudgetState): string {
  return `${name.padEnd(14)} ${remaining} left of ${quota} in ${windowSeconds} s  ${remaining > 0 ? 'full' : 'next'} in ${resetSeconds} s`;
}
