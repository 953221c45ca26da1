import * as z from 'zod/mini';

const claims = z.record(z.string(), z.unknown());
const headers = z.record(z.string(), z.string());

/** A case of `policy test`: a request, who makes it, and what must come out. */
export const policyCase = z.strictObject({
  name: z.optional(z.string().check(z.minLength(1), z.maxLength(200))),
  request: z.strictObject({
    method: z.optional(z.string()),
    path: z.string().check(z.regex(/^\//)),
    headers: z.optional(headers),
    /** Text as it is, or an object or list that is sent as JSON. Left out: nobody sees a body, and fields decide alone. */
    body: z.optional(z.union([z.string(), z.record(z.string(), z.unknown()), z.array(z.unknown())])),
  }),
  /** Taken as verified: they are signed for the test by a key that only the test knows. Null: left out of the token. */
  claims: z.optional(claims),
  /** A real token, verified by the real keys. */
  token: z.optional(z.string()),
  certificate: z.optional(
    z.strictObject({
      subject: z.optional(z.string()),
      issuer: z.optional(z.string()),
      san: z.optional(z.union([z.string(), z.array(z.string())])),
      thumbprint: z.optional(z.string()),
    }),
  ),
  /** When the request is made, RFC 3339. */
  time: z.optional(z.iso.datetime({ offset: true })),
  expect: z.strictObject({
    status: z.optional(z.int().check(z.minimum(100), z.maximum(599))),
    code: z.optional(z.nullable(z.string())),
    /** The scope that the row demands; several are separated by spaces. */
    scope: z.optional(z.nullable(z.string())),
    budget: z.optional(z.enum(['heavy', 'read', 'none'])),
    action: z.optional(z.string()),
    /** Fields that the upstream gets. */
    upstream: z.optional(z.record(z.string(), z.string())),
  }),
});

export type PolicyCase = z.infer<typeof policyCase>;

/** Thrown for a file of cases that cannot be read; the message is one sentence. */
export class CasesError extends Error {
  override readonly name = 'CasesError';
  readonly code = 'cases_unreadable';
}

/**
 * Reads a file of cases: a list, or an object with the member `cases`.
 *
 * @param text - the file as JSON text.
 * @returns the cases.
 * @throws CasesError which names the case and its member.
 */
export function readCases(text: string): readonly PolicyCase[] {
  const value: unknown = JSON.parse(text);
  const list = Array.isArray(value) ? value : (value as { cases?: unknown } | null)?.cases;
  if (!Array.isArray(list)) throw new CasesError('the file is no list of cases, and has no member `cases` with one');
  return list.map((entry, index) => {
    const parsed = policyCase.safeParse(entry);
    if (parsed.success) return checked(parsed.data, index + 1);
    throw new CasesError(`case ${index + 1}: ${faultOf(parsed.error.issues[0], entry)}`);
  });
}

/** What each member accepts; what stands in one of its own members is told by the nearest name here. */
const ACCEPTS: Readonly<Record<string, string>> = {
  '': 'an object with `request` and `expect`, and `name`, `claims`, `token`, `certificate` or `time` where needed',
  name: 'a text of 1 to 200 characters',
  request: 'an object with `path`, and `method`, `headers` or `body` where needed',
  'request.method': 'a text such as `GET`',
  'request.path': 'a path that begins with `/`',
  'request.headers': 'an object from names to texts',
  'request.body': 'a text, an object or a list',
  claims: 'an object, as in the token',
  token: 'the text of a token',
  certificate: 'an object with `subject`, `issuer`, `san` or `thumbprint`',
  time: 'an instant such as `2026-11-24T10:00:00Z`',
  expect: 'an object with `status`, `code`, `scope`, `budget`, `action` or `upstream`',
  'expect.status': 'a whole number from 100 to 599',
  'expect.code': 'a code such as `insufficient_scope`, or null',
  'expect.scope': 'names of scopes separated by spaces, or null',
  'expect.budget': '`heavy`, `read` or `none`',
  'expect.action': 'a text',
  'expect.upstream': 'an object from names to texts',
};

/** Where a case is at fault, and what to write there. */
function faultOf(issue: z.core.$ZodIssue | undefined, entry: unknown): string {
  const path = (issue?.path ?? []).map(String);
  const at = path.join('.') || 'the case';
  let known = path;
  while (!(known.join('.') in ACCEPTS)) known = known.slice(0, -1);
  const accepts = `accepted: ${ACCEPTS[known.join('.')]}`;
  if (issue?.code === 'unrecognized_keys')
    return `${at}: unknown member ${issue.keys.map((key) => `"${key}"`).join(', ')}; ${accepts}`;
  const found = path.reduce<unknown>((value, name) => (value as Record<string, unknown> | null)?.[name], entry);
  return `${at}: ${found === undefined ? 'is missing' : 'is something else'}; ${accepts}`;
}

function checked(one: PolicyCase, place: number): PolicyCase {
  if (one.claims !== undefined && one.token !== undefined)
    throw new CasesError(`case ${place}: claims and token: one of the two`);
  if (Object.keys(one.expect).length === 0)
    throw new CasesError(`case ${place}: expect: says nothing; accepted: ${ACCEPTS.expect}`);
  return one;
}

/** The name of a case, or what it asks. */
export function caseName({ name, request }: PolicyCase): string {
  return name ?? `${request.method ?? 'GET'} ${request.path}`;
}
