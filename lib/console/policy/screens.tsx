import { policyHash } from '../../config/policy/policy-hash.ts';
import type { CaseResult } from '../../policy/cases/decide.ts';
import { accessTable, comparePolicies } from '../../policy/diff/compare.ts';
import type { Desk } from '../desk.ts';
import type { Shown, Visit } from '../visit.ts';
import { type CaseForm, caseFormOf, caseOf, NO_CASE } from './case-form.ts';
import { observedIn } from './observed.ts';
import { PolicyScreen } from './view.tsx';

/** The screen *Policy*. */
export function policyScreen(visit: Visit): Promise<Shown> {
  return shown(visit, { asked: NO_CASE, result: null, problem: null });
}

/** Decides one case as `policy test` does. Nothing is spent and nothing but the question is recorded. */
export async function policyTest(visit: Visit): Promise<Shown> {
  const asked = caseFormOf(visit.form);
  const one = caseOf(asked);
  if (typeof one === 'string') return shown(visit, { asked, result: null, problem: one });
  const { config, runtime } = visit.desk.composed;
  const { createCaseDecision } = await import('../../policy/cases/decide.ts');
  const decide = await createCaseDecision(config, (clock) => ({ ...runtime, clock }), visit.ports.clock);
  return shown(visit, { asked, result: await decide(one), problem: null });
}

interface Tested {
  readonly asked: CaseForm;
  readonly result: CaseResult | null;
  readonly problem: string | null;
}

async function shown({ desk, session }: Visit, tested: Tested): Promise<Shown> {
  const { config } = desk.composed;
  const window = (await desk.records?.refresh()) ?? null;
  const body = (
    <PolicyScreen
      rows={accessTable(config)}
      hash={await policyHash(config)}
      demandsScopes={config.settings.rbacEnabled}
      ways={config.ways}
      shadow={shadowOf(desk)}
      notice={desk.composed.notice()}
      isAnswering={window?.isAnswering ?? true}
      observed={observedIn(window?.records ?? [])}
      csrf={session.csrf}
      {...tested}
    />
  );
  return { title: 'Policy', at: '/policy', status: tested.problem === null ? 200 : 400, body };
}

/** What the second table would change, or null where there is none. */
function shadowOf({ composed: { config } }: Desk) {
  const { shadowEndpoints: endpoints } = config.documents;
  return endpoints && comparePolicies(config, { ...config, documents: { ...config.documents, endpoints } });
}
