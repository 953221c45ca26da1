import { isSubject, subjectAt } from '../../authenticate/jwt/subject.ts';
import { budgetsOfCaller } from '../../compose/admit/quotas.ts';
import type { Config } from '../../config/load.ts';
import type { Desk } from '../desk.ts';
import type { Shown, Visit } from '../visit.ts';
import { busiest } from './busiest.ts';
import type { Choices, Named } from './named.tsx';
import { Identities } from './view.tsx';

/** The screen *Identities*: the busiest callers. */
export function identitiesScreen(visit: Visit): Promise<Shown> {
  return shown(visit, null, 200);
}

/** Turns a name that was typed in into its pseudonym, and shows what is left to it. The name goes nowhere else. */
export async function identityScreen(visit: Visit): Promise<Shown> {
  const text = (name: string) => (visit.form.get(name) ?? '').trim();
  const [name, issuer, plan, role] = [text('name'), text('issuer'), text('plan'), text('role')];
  const named = await about(visit.desk, { name, issuer: issuer || null, plan: plan || null, role: role || null });
  return shown(visit, named, named.pseudonyms.length === 0 ? 400 : 200);
}

interface Asked {
  readonly name: string;
  readonly issuer: string | null;
  readonly plan: string | null;
  readonly role: string | null;
}

async function about({ composed }: Desk, { name, issuer, plan, role }: Asked): Promise<Named> {
  const { config, pseudonyms, carried } = composed;
  const choices = choicesOf(config);
  const planned = plan ?? planOf(config, name);
  const nothing = { name, issuer, plan: planned, pseudonyms: [], budgets: null };
  if (!isSubject(name)) return { ...nothing, problem: 'A name has 1 to 512 characters and no control characters.' };
  if (issuer !== null && !choices.issuers.includes(issuer))
    return { ...nothing, problem: 'No such issuer is configured.' };
  if (plan !== null && !choices.plans.includes(plan)) return { ...nothing, problem: 'No such plan in TGEFD_PLANS.' };
  const found = await pseudonyms.all('identity', issuer === null ? name : subjectAt(issuer, name));
  const known = { ...nothing, pseudonyms: found };
  const caller = { subject: name, roles: role === null ? [] : [role], plan: plan ?? undefined };
  const budgets = budgetsOfCaller(config, caller) ?? [];
  const { desk } = carried.store;
  if (desk === null) return { ...known, problem: 'What is left is known only with a shared store (TGEFD_REDIS_URL).' };
  const states = await desk.show(found[0] ?? '', budgets);
  return { ...known, budgets: states, problem: states === null ? 'The store does not answer.' : null };
}

/** The plan that the overrides give to a subject, or null. */
function planOf({ documents }: Config, subject: string): string | null {
  const override = documents.quotaOverrides.find(
    (each) => 'plan' in each && 'subject' in each.of && each.of.subject === subject,
  );
  return override !== undefined && 'plan' in override ? override.plan : null;
}

/** What the form has to ask besides the name. */
function choicesOf({ issuers, documents }: Config): Choices {
  const roles = documents.quotaOverrides.flatMap(({ of }) => ('role' in of ? [of.role] : []));
  return {
    issuers: issuers
      .filter(({ identifiesByIssuer }) => identifiesByIssuer)
      .flatMap(({ spellings }) => spellings[0] ?? []),
    plans: [...documents.plans.keys()],
    roles: [...new Set(roles)],
  };
}

async function shown(visit: Visit, named: Named | null, status: number): Promise<Shown> {
  const { desk, session, mayAct } = visit;
  const window = (await desk.records?.refresh()) ?? null;
  const body = (
    <Identities
      callers={window && busiest(window.records)}
      isAnswering={window?.isAnswering ?? true}
      named={named}
      choices={choicesOf(desk.composed.config)}
      mayAct={mayAct}
      csrf={session.csrf}
    />
  );
  return { title: 'Identities', at: '/identities', status, body };
}
