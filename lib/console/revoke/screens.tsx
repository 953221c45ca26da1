import { partsOfSubject } from '../../authenticate/jwt/subject.ts';
import { revocationId } from '../../revoke/entry.ts';
import type { Revocation } from '../../revoke/revocation.ts';
import { SIGNED_OUT } from '../session/exchange.ts';
import type { Shown, Visit } from '../visit.ts';
import { Confirm, Done } from './done.tsx';
import { type Listed, RevokeScreen } from './view.tsx';
import { entryWanted, type FormValues, readWanted } from './wanted.ts';

const KINDS: readonly Revocation['kind'][] = ['sub', 'jti', 'kid', 'thumbprint', 'key_id'];
const MAXIMUM_LISTED = 200;
const NOTHING: FormValues = { what: 'token', id: '', issuer: '', reason: '' };

/** The screen *Revoke*. */
export function revokeScreen(visit: Visit): Promise<Shown> {
  return listed(visit, null, 200);
}

/** Shows what would be revoked, and asks. */
export async function askRevoke(visit: Visit): Promise<Shown> {
  const wanted = await readWanted(visit.form, nowSeconds(visit));
  if (wanted.found === 'problem') return listed(visit, wanted.problem, 400, wanted.values);
  const entry = entryWanted(wanted, nowSeconds(visit), 'console');
  if (entry === null)
    return listed(visit, timeProblem, 400, { ...NOTHING, what: wanted.wanted.kind, id: wanted.wanted.id });
  const body = (
    <Confirm
      asked={wanted}
      entry={entry}
      nowSeconds={nowSeconds(visit)}
      boundSeconds={boundSeconds(visit)}
      csrf={visit.session.csrf}
    />
  );
  return { title: 'Revoke', at: '/revoke', body };
}

const timeProblem = 'A revocation ends in the future, at most 400 days from now.';

/** Revokes what was confirmed. */
export async function revoke(visit: Visit): Promise<Shown> {
  const { composed } = visit.desk;
  const asked = await readWanted(visit.form, nowSeconds(visit));
  if (asked.found === 'problem') return listed(visit, asked.problem, 400, asked.values);
  const by = await composed.pseudonyms.of('identity', visit.session.principal.identity);
  const entry = entryWanted(asked, nowSeconds(visit), by);
  if (entry === null) return listed(visit, timeProblem, 400);
  const added = await composed.revocations.add(entry);
  if (!added.done) return listed(visit, 'Nothing was revoked: the store does not answer. Try again.', 503);
  const body = (
    <Done wanted={asked.wanted} boundSeconds={boundSeconds(visit)} csrf={visit.session.csrf} isTakenBack={false} />
  );
  return { title: 'Revoked', at: '/revoke', body };
}

/** Takes one revocation back: by what was just typed, or as an entry of the list. */
export async function takeBack(visit: Visit): Promise<Shown> {
  const { form, desk, session } = visit;
  const { revocations } = desk.composed;
  const kind = KINDS.find((each) => each === form.get('kind'));
  const issuer = form.get('issuer') || null;
  const given = form.get('id') ?? '';
  const isListed = form.get('listed') === 'yes';
  const id = kind && (isListed ? given : revocationId(kind, given, issuer));
  if (!kind || !id) return listed(visit, 'There is no such entry.', 400);
  const removed = await (isListed ? revocations.removeListed(kind, id) : revocations.remove(kind, id));
  if (!removed.done) return listed(visit, 'Nothing was taken back: the store does not answer. Try again.', 503);
  if (!removed.value) return listed(visit, 'There is no such entry any more.', 404);
  const body = (
    <Done
      wanted={{ kind, id: given, issuer }}
      boundSeconds={boundSeconds(visit)}
      csrf={session.csrf}
      isTakenBack={true}
    />
  );
  return { title: 'Taken back', at: '/revoke', body };
}

/** Seconds within which a revocation holds everywhere; 0: with the next decision. */
function boundSeconds({ desk }: Visit): number {
  const { settings } = desk.composed.config;
  const isExact = settings.rateLimitMode === 'exact' || !settings.redisUrl;
  return isExact ? 0 : settings.revocationMaximumDelaySeconds;
}

function nowSeconds({ nowMs }: Visit): number {
  return Math.floor(nowMs / 1000);
}

async function listed(visit: Visit, problem: string | null, status = 200, values = NOTHING): Promise<Shown> {
  const { desk, mayAct, session } = visit;
  const { entries, isAnswering, hasMore } = await entriesOf(visit);
  const body = (
    <RevokeScreen
      entries={entries}
      isAnswering={isAnswering}
      hasMore={hasMore}
      isShared={Boolean(desk.composed.config.settings.redisUrl)}
      mayAct={mayAct}
      scope={desk.composed.config.settings.scopeRevoke}
      csrf={session.csrf}
      problem={problem}
      values={values}
      boundSeconds={boundSeconds(visit)}
    />
  );
  return { title: 'Revoke', at: '/revoke', status, body };
}

/** Entries in force, the latest first. */
async function entriesOf({ desk }: Visit) {
  const entries: Revocation[] = [];
  let cursor: string | null = null;
  do {
    const page = await desk.composed.revocations.list(cursor);
    if (!page.done) return { entries: [], isAnswering: false, hasMore: false };
    entries.push(...page.value.entries.filter((entry) => !isSignOut(entry)));
    cursor = page.value.next;
  } while (cursor !== null && entries.length < MAXIMUM_LISTED);
  const shown = entries.slice(0, MAXIMUM_LISTED).reverse();
  return {
    entries: shown.map((entry): Listed => ({ ...entry, ...partsOfSubject(entry.id) })),
    isAnswering: true,
    hasMore: cursor !== null || entries.length > MAXIMUM_LISTED,
  };
}

/** Sessions of the console that were ended stand among the entries, and mean nothing to an operator. */
function isSignOut({ reason, by }: Revocation): boolean {
  return reason === SIGNED_OUT && by === 'console';
}
