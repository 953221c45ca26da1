import * as z from 'zod/mini';
import type { Pseudonyms } from '../audit/pseudonym.ts';
import { partsOfSubject } from '../authenticate/jwt/subject.ts';
import { readBounded } from '../codec/bounded-body.ts';
import { parseStrictJson } from '../codec/strict-json.ts';
import type { Decision } from '../decision/outcome.ts';
import type { Clock } from '../decision/ports.ts';
import type { Reason } from '../decision/reason.ts';
import { denialAnswer } from '../respond/denial.ts';
import { entryOf, revocationId } from '../revoke/entry.ts';
import type { Revocation, Revocations } from '../revoke/revocation.ts';

const kinds = ['jti', 'sub', 'kid', 'thumbprint', 'key_id'] as const;
const maximumBytes = 4096;

const demand = z.strictObject({
  kind: z.enum(kinds),
  id: z.string().check(z.minLength(1), z.maxLength(512)),
  issuer: z.optional(z.string().check(z.minLength(1), z.maxLength(512))),
  before: z.optional(z.int().check(z.minimum(0))),
  expires_at: z.optional(z.int().check(z.minimum(0))),
  reason: z.optional(z.string().check(z.maxLength(256), z.regex(/^[^\p{Cc}]*$/u))),
});

type Demand = z.infer<typeof demand>;
type Kind = (typeof kinds)[number];

/** The body as text, or null when it is longer than any entry. */
async function shortText(body: ReadableStream<Uint8Array> | null): Promise<string | null> {
  const bytes = await readBounded(body, maximumBytes);
  return bytes === null ? null : new TextDecoder().decode(bytes);
}

function json(status: number, body: unknown, requestId: string) {
  return new Response(JSON.stringify(body), {
    status,
    headers: { 'content-type': 'application/json', 'cache-control': 'no-store', 'x-request-id': requestId },
  });
}

/** An entry as JSON. Where the store keeps pseudonyms, only whoever names the issuer can be told it. */
export function wire(entry: Revocation, issuer: string | null = null) {
  const named = issuer ?? (entry.kind === 'sub' ? partsOfSubject(entry.id).issuer : null);
  return {
    kind: entry.kind,
    id: entry.kind === 'sub' ? partsOfSubject(entry.id).subject : entry.id,
    ...(named === null ? {} : { issuer: named }),
    ...(entry.beforeSeconds === null ? {} : { before: entry.beforeSeconds }),
    expires_at: entry.expiresAtSeconds,
    created_at: entry.createdAtSeconds,
    ...(entry.reason === null ? {} : { reason: entry.reason }),
    by: entry.by,
  };
}

/**
 * Our administrative endpoints, once the decision has allowed them: `/_authorizer/revocations` (POST one entry, GET a page)
 * and one entry below it (GET, DELETE). Answers 201 or 200 with the entry as kept, 404 where there is none, 400 for a
 * body that is not understood, 503 when the store cannot be asked.
 */
export function createAdministration(parts: AdministrationParts) {
  return async (decision: Decision, request: Request): Promise<Response> => {
    const outcome = await administer(parts, decision, request);
    const { requestId } = decision.boundary;
    if (!('reason' in outcome)) return json(outcome.status, outcome.body, requestId);
    const answer = denialAnswer(outcome, { requestId, authMethod: decision.authMethod });
    return new Response(answer.body, { status: answer.status, headers: answer.headers as [string, string][] });
  };
}

interface AdministrationParts {
  readonly revocations: Revocations;
  readonly pseudonyms: Pseudonyms;
  readonly clock: Clock;
  /** Whether an issuer, in any of its spellings, gives tokens that count here: a revocation at another would revoke nothing. */
  knowsIssuer(issuer: string): boolean;
}

/** What is answered: a page as JSON, or why there is none. */
type Outcome = { readonly status: number; readonly body: unknown } | Reason;

function administer(parts: AdministrationParts, decision: Decision, request: Request): Outcome | Promise<Outcome> {
  const { method } = decision;
  const [kindText, ...idParts] = (decision.path ?? '').split('/').slice(3);
  if (kindText === undefined && method === 'POST') return addEntry(parts, decision, request);
  const query = new URLSearchParams(decision.query);
  if (kindText === undefined && !query.has('id'))
    return method === 'DELETE' ? { reason: 'body_invalid' } : listEntries(parts, query.get('cursor'));

  // An id with a slash has no place in a path, since an encoded one is refused there: it goes into the query.
  const kind = kinds.find((each) => each === (kindText ?? query.get('kind')));
  const text = kindText === undefined ? (query.get('id') ?? '') : decodeURIComponent(idParts.join('/'));
  const id = kind && revocationId(kind, text, query.get('issuer'));
  if (!kind || !id) return { reason: 'endpoint_unknown' };
  return method === 'DELETE' ? removeEntry(parts, kind, id) : showEntry(parts, kind, id, query.get('issuer'));
}

async function addEntry(
  { revocations, pseudonyms, clock, knowsIssuer }: AdministrationParts,
  decision: Decision,
  request: Request,
): Promise<Outcome> {
  const nowSeconds = Math.floor(clock() / 1000);
  const wanted = await read(request);
  if (!wanted || (wanted.issuer !== undefined && !knowsIssuer(wanted.issuer))) return { reason: 'body_invalid' };
  const by = decision.principal ? await pseudonyms.of('identity', decision.principal.identity) : 'unknown';
  const { expires_at: expiresAt, ...rest } = wanted;
  const entry = entryOf({ ...rest, expiresAt }, nowSeconds, by);
  if (entry === null) return { reason: 'body_invalid' };
  const added = await revocations.add(entry);
  return added.done ? { status: 201, body: wire(added.value, wanted.issuer) } : unavailable(added);
}

async function listEntries({ revocations }: AdministrationParts, cursor: string | null): Promise<Outcome> {
  const page = await revocations.list(cursor);
  if (!page.done) return unavailable(page);
  return { status: 200, body: { entries: page.value.entries.map((entry) => wire(entry)), next: page.value.next } };
}

async function removeEntry({ revocations }: AdministrationParts, kind: Kind, id: string): Promise<Outcome> {
  const removed = await revocations.remove(kind, id);
  if (!removed.done) return unavailable(removed);
  return removed.value ? { status: 200, body: { kind, removed: true } } : { reason: 'endpoint_unknown' };
}

async function showEntry(
  { revocations }: AdministrationParts,
  kind: Kind,
  id: string,
  issuer: string | null,
): Promise<Outcome> {
  const found = await revocations.find(kind, id);
  if (!found.done) return unavailable(found);
  return found.value ? { status: 200, body: wire(found.value, issuer) } : { reason: 'endpoint_unknown' };
}

function unavailable({ retryAfterSeconds }: { readonly retryAfterSeconds: number }): Reason {
  return { reason: 'revocation_unavailable', retryAfterSeconds };
}

async function read(request: Request): Promise<Demand | null> {
  const text = await shortText(request.body);
  const parsed = demand.safeParse(text === null ? null : parseStrictJson(text));
  return parsed.success && (parsed.data.kind === 'sub' || parsed.data.before === undefined) ? parsed.data : null;
}
