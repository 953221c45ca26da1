import * as z from 'zod/mini';
import { providerNames } from '../../authenticate/providers/provider.ts';
import { claimPathFault } from '../../codec/claim-path.ts';
import { wantedValueFault } from '../../codec/claim-values.ts';
import { once } from '../../codec/once.ts';
import { isPlainHttpUrl, typeName } from '../kinds.ts';
import type { DeclaredIssuer, Introspection, IssuerMember, KeysFrom } from './issuer.ts';

/** How one member of a row is read: a schema from JSON to its value, and the sentence that tells what it accepts. */
export interface Member<T> {
  readonly accepts: string;
  readonly schema: z.ZodMiniType<T, unknown>;
}

/** Signature algorithms that a key set can serve; `Ed25519` is RFC 9864's name of `EdDSA` with that curve. */
export const asymmetricAlgorithm = /^([RPE]S(256|384|512)|EdDSA|Ed25519)$/;
/** A scope name (RFC 6749 §3.3) without what looks like another syntax, or `*` alone. */
const scopeName = /^(\*|[\x21\x23-\x29\x2b\x2d-\x5b\x5d-\x7b\x7d\x7e]{1,128})$/;
export const longestLifetimeSeconds = 31_536_000;

const text = once(() => z.string().check(z.regex(/^[^\p{Cc}\s](?:[^\p{Cc}]{0,1022}[^\p{Cc}\s])?$/u)));
const plain = once(() => z.string().check(z.regex(/^[^\p{Cc}\s,*{}](?:[^\p{Cc},*{}]{0,1022}[^\p{Cc}\s,*{}])?$/u)));
const claimPath = once(() => z.string().check(z.refine((value: string) => claimPathFault(value) === null)));
const matching = (pattern: RegExp) => z.string().check(z.regex(pattern));

/** A list, for which a single entry may stand too. */
function listOf<T>(entry: z.ZodMiniType<T, unknown>, least: number): z.ZodMiniType<readonly T[], unknown> {
  const list = z.array(entry).check(z.minLength(least), z.maxLength(64));
  const single = z.pipe(
    entry,
    z.transform((value: T) => [value]),
  );
  return z.union([list, single]) as unknown as z.ZodMiniType<readonly T[], unknown>;
}

const keySetUrl = once(() =>
  z.pipe(
    z.string().check(z.refine(isPlainHttpUrl)),
    z.transform((value: string): KeysFrom => ({ from: 'url', url: new URL(value) })),
  ),
);
const keySetFile = once(() =>
  z.pipe(
    z.strictObject({ file: text() }),
    z.transform(({ file }: { file: string }): KeysFrom => ({ from: 'file', path: file })),
  ),
);
const inlineKeySet = once(() =>
  z.pipe(
    z.strictObject({ jwks: z.looseObject({ keys: z.array(z.looseObject({})).check(z.minLength(1)) }) }),
    z.transform(
      ({ jwks }: { jwks: { keys: Record<string, unknown>[] } }): KeysFrom => ({
        from: 'inline',
        text: JSON.stringify(jwks),
      }),
    ),
  ),
);

const wanted = once(() =>
  z
    .union([z.string(), z.number(), z.boolean()])
    .check(z.refine((value: string | number | boolean) => wantedValueFault(value) === null)),
);

const introspection = once(() =>
  z.pipe(
    z
      .strictObject({
        url: keySetUrl(),
        client_id: text(),
        client_secret: z.optional(z.string().check(z.minLength(1), z.maxLength(1024))),
        client_secret_file: z.optional(text()),
        cache_sec: z.optional(z.int().check(z.minimum(1), z.maximum(300))),
      })
      .check(
        z.refine(
          (each: { client_secret?: string | undefined; client_secret_file?: string | undefined }) =>
            (each.client_secret === undefined) !== (each.client_secret_file === undefined),
        ),
      ),
    z.transform(
      ({ url, client_id, client_secret, client_secret_file, cache_sec = 60 }): Introspection => ({
        url: url.from === 'url' ? url.url : new URL('https://invalid'),
        clientId: client_id,
        clientSecret: client_secret ?? null,
        clientSecretFile: client_secret_file ?? null,
        cacheSeconds: cache_sec,
      }),
    ),
  ),
);

function member<T>(accepts: string, schema: () => z.ZodMiniType<T, unknown>): Member<T> {
  const made = once(schema);
  return {
    accepts,
    get schema() {
      return made();
    },
  };
}

/** The same member with a sentence of its own about what is wanted. */
export function like<T>(other: Member<T>, accepts: string): Member<T> {
  return member(accepts, () => other.schema);
}

/** Every member that a row of `TGEFD_ISSUERS` may have. */
export const members: { readonly [M in IssuerMember]: Member<NonNullable<DeclaredIssuer[M]>> } = {
  issuer: member('an exact `iss`, or a list of its spellings, without comma, `*`, `{` and `}`', () =>
    listOf(plain(), 1),
  ),
  provider: member(`one of ${providerNames.join(', ')}`, () => z.enum(providerNames) as never),
  audience: member('an audience, or a list of them, without comma and `*`', () => listOf(plain(), 1)),
  audience_claim: member('a claim path', () => claimPath() as never),
  keys: member(
    'an `https:` URL, `{"file": "…"}` or `{"jwks": {"keys": […]}}`',
    () => z.union([keySetUrl(), keySetFile(), inlineKeySet()]) as never,
  ),
  keys_token_file: member('the path of a file', () => text() as never),
  algorithms: member('a list of RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, ES512, EdDSA, Ed25519', () =>
    listOf(matching(asymmetricAlgorithm) as never, 1),
  ),
  types: member('a list of media types, or `absent`', () => listOf(matching(typeName) as never, 1)),
  max_ttl_sec: member(
    `a whole number from 0 to ${longestLifetimeSeconds} (seconds)`,
    () => z.int().check(z.minimum(0), z.maximum(longestLifetimeSeconds)) as never,
  ),
  subject: member('a claim path, or a list of them', () => listOf(claimPath() as never, 1)),
  scopes: member('a claim path, or a list of them', () => listOf(claimPath() as never, 0)),
  roles: member('a claim path, or a list of them', () => listOf(claimPath() as never, 0)),
  grants: member('`first` or `union`', () => z.enum(['first', 'union']) as never),
  role_scopes: member(
    'an object from the name of a role (without `*`) to a list of scope names (none with `|` or an inner `*`)',
    () =>
      z.record(
        z.string().check(z.minLength(1), z.maxLength(256), z.regex(/^[^*]*$/)),
        listOf(matching(scopeName) as never, 0),
      ) as never,
  ),
  require: member(
    'an object from a claim path to a value or a list of values, `*` only at the end of one',
    () => z.record(claimPath(), listOf(wanted() as never, 1)) as never,
  ),
  introspection: member(
    '`{"url": …, "client_id": …, "client_secret": … or "client_secret_file": …, "cache_sec": 1 to 300}`, the URL with https:',
    () => introspection() as never,
  ),
};
