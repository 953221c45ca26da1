import * as z from 'zod/mini';
import { claimPathFault } from '../../codec/claim-path.ts';
import { wantedValueFault } from '../../codec/claim-values.ts';
import { once } from '../../codec/once.ts';
import type {
  BudgetClass,
  ClaimDemand,
  CredentialWay,
  McpDemand,
  ScopeDemand,
  StepUp,
} from '../../decision/request.ts';

/** A row as `TGEFD_ENDPOINTS` gives it; without an action of its own it takes that of the row it replaces. */
export interface EndpointRow {
  readonly method: string;
  readonly pattern: string;
  readonly scope: ScopeDemand;
  readonly budget: BudgetClass;
  readonly action: string | null;
  readonly auth?: readonly CredentialWay[];
  readonly issuers?: readonly string[];
  readonly claims?: readonly ClaimDemand[];
  readonly stepUp?: StepUp;
  readonly mcp?: McpDemand;
}

export const accepts = {
  method: 'must be an HTTP method in upper case, such as GET',
  path: 'must be a path pattern such as /v1/items/{id} or /files/{path...}',
  scope:
    'must be a scope name without `*`, `|` and comma, {"any": [names]}, {"all": [names]}, or null for any authenticated caller',
  budget: 'must be "heavy", "read" or "none"',
  action: 'must be a name of 1 to 64 of a-z, 0-9, _, . and -',
  auth: 'must be "jwt", "mtls", or a list of both',
  issuers: 'must be a list of 1 to 64 issuers, each without comma, space, `*`, `{` and `}`',
  claims:
    'must be an object of claim paths; each value is a text, number or boolean, or a list of them; `*` only at its end, {name} only as a whole',
  acr: 'must be an authentication class, or a list of 1 to 64, each without space, quote and backslash',
  mcp: 'must be {"method": text} or {"method": text, "name": text}, each without space; `*` only at its end',
  max_age_sec: 'must be a whole number of seconds from 0 to 31536000',
} as const;

const longestList = 64;
/** A name of a path pattern, as a value of a claim may refer to it. */
export const parameterReference = /^\{([A-Za-z_][A-Za-z0-9_]{0,63})\}$/;

/** RFC 6749 §3.3 scope-token without what is a list or a wildcard elsewhere: `*`, `,` and `|`. */
const scopeName = /^[\x21\x23-\x29\x2b\x2d-\x5b\x5d-\x7b\x7d\x7e]{1,128}$/;
const authenticationClass = /^[\x21\x23-\x5b\x5d-\x7e]{1,128}$/;
const issuerName = /^[^\s\p{Cc},*{}]{1,1024}$/u;

function text(error: string, fits: RegExp) {
  return z.string({ error }).check(z.regex(fits, { error }));
}

/** Names of messages: `*` stands for any ending, and nothing in the middle. */
const messagePattern = /^[\x21-\x29\x2b-\x7e]{0,1024}\*?$/;
const messageText = once(() => text(accepts.mcp, messagePattern).check(z.minLength(1, { error: accepts.mcp })));

/** A list, for which a single entry may stand too. */
function listOf<S extends z.ZodMiniType<string, string>>(entry: S, error: string) {
  return z.union(
    [entry, z.array(entry, { error }).check(z.minLength(1, { error }), z.maxLength(longestList, { error }))],
    {
      error,
    },
  );
}

const scopeNames = once(() => listOf(text(accepts.scope, scopeName), accepts.scope));
const wantedValue = once(() =>
  z.union([
    z.string().check(
      z.maxLength(1024),
      z.refine((value: string) => valueFault(value) === null),
    ),
    z.number().check(z.refine((value: number) => wantedValueFault(value) === null)),
    z.boolean(),
  ]),
);
const wantedValues = once(() =>
  z.union([wantedValue(), z.array(wantedValue()).check(z.minLength(1), z.maxLength(longestList))]),
);

/** One row of `TGEFD_ENDPOINTS` as it is written. Later members of a row are added here. */
export const rowShape = once(() =>
  z.strictObject({
    method: text(accepts.method, /^[A-Z][A-Z_-]{0,31}$/),
    path: text(accepts.path, /^\//),
    scope: z.union(
      [
        z.null(),
        text(accepts.scope, scopeName),
        z.strictObject({ any: scopeNames() }),
        z.strictObject({ all: scopeNames() }),
      ],
      { error: accepts.scope },
    ),
    budget: z.enum(['heavy', 'read', 'none'], { error: accepts.budget }),
    action: z.optional(text(accepts.action, /^[a-z0-9_.-]{1,64}$/)),
    auth: z.optional(listOf(z.enum(['jwt', 'mtls'], { error: accepts.auth }), accepts.auth)),
    issuers: z.optional(listOf(text(accepts.issuers, issuerName), accepts.issuers)),
    acr: z.optional(listOf(text(accepts.acr, authenticationClass), accepts.acr)),
    max_age_sec: z.optional(
      z
        .int({ error: accepts.max_age_sec })
        .check(z.minimum(0, { error: accepts.max_age_sec }), z.maximum(31_536_000, { error: accepts.max_age_sec })),
    ),
    mcp: z.optional(z.strictObject({ method: messageText(), name: z.optional(messageText()) }, { error: accepts.mcp })),
    claims: z.optional(
      z
        .record(z.string().check(z.refine((path: string) => claimPathFault(path) === null)), wantedValues(), {
          error: accepts.claims,
        })
        .check(
          z.refine((claims) => Object.keys(claims).length > 0, { error: accepts.claims }),
          z.refine((claims) => Object.keys(claims).length <= longestList, { error: accepts.claims }),
        ),
    ),
  }),
);

/** `{name}` stands for a path parameter; any other brace would be a literal that nobody means. */
function valueFault(value: string): string | null {
  if (parameterReference.test(value)) return null;
  return /[{}]/.test(value) ? 'without `{` and `}`' : wantedValueFault(value);
}

/** The row that a written row stands for. */
export function rowOf(written: z.infer<ReturnType<typeof rowShape>>): EndpointRow {
  const { method, path, scope, budget, action, auth, issuers, claims, acr, max_age_sec: age, mcp } = written;
  return {
    method,
    pattern: path,
    scope: scopeDemand(scope),
    budget,
    action: action ?? null,
    ...(auth === undefined ? {} : { auth: uniqueList<CredentialWay>(auth) }),
    ...(issuers === undefined ? {} : { issuers: uniqueList(issuers) }),
    ...(acr === undefined && age === undefined
      ? {}
      : { stepUp: { acr: uniqueList(acr ?? []), maximumAgeSeconds: age ?? null } }),
    ...(mcp === undefined ? {} : { mcp: { method: mcp.method, name: mcp.name ?? null } }),
    ...(claims === undefined
      ? {}
      : { claims: Object.entries(claims).map(([at, values]) => ({ path: at, values: [values].flat() })) }),
  };
}

function scopeDemand(scope: z.infer<ReturnType<typeof rowShape>>['scope']): ScopeDemand {
  if (scope === null || typeof scope === 'string') return scope;
  return 'any' in scope ? { any: uniqueList(scope.any) } : { all: uniqueList(scope.all) };
}

function uniqueList<T extends string>(entries: T | readonly T[]): readonly T[] {
  return [...new Set([entries].flat() as T[])];
}
