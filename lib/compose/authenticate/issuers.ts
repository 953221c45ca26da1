import { createFixedKeySets } from '../../authenticate/jwks/fixed-key-set.ts';
import { createKeySets, type KeySetState, type ManagedKeySets } from '../../authenticate/jwks/key-sets.ts';
import { type KeySource, keySetAt, keySetByDiscovery, keySetInFile } from '../../authenticate/jwks/key-source.ts';
import { withSynonyms } from '../../authenticate/jwt/algorithms.ts';
import type { TokenIssuer } from '../../authenticate/jwt/token-issuer.ts';
import { createClaimGrants } from '../../authorize/claim-grants.ts';
import { roleScopes } from '../../authorize/roles.ts';
import { compileClaimPath } from '../../codec/claim-path.ts';
import { compileClaimTest } from '../../codec/claim-values.ts';
import type { IssuerSettings } from '../../config/issuers/issuer.ts';
import type { Config } from '../../config/load.ts';
import type { Clock, Fetch, RequestContext } from '../../decision/ports.ts';
import type { Runtime } from '../runtime.ts';
import { steadyClock } from '../steady-clock.ts';

/** The key sets of every issuer that has one, in the order of the configuration; null for one with a shared secret. */
export type IssuerKeySets = readonly (ManagedKeySets | null)[];

/** Makes the key sets of every issuer: keys, caches, cool-downs and outages of one never touch those of another. */
export function composeKeySets({ settings, issuers }: Config, runtime: Runtime, egress: Fetch): IssuerKeySets {
  return issuers.map((issuer) => {
    if (issuer.keys.from === 'secret') return null;
    const uses = issuer.trustDomain === null ? ['sig'] : ['sig', 'jwt-svid'];
    const keySets = keySetsFrom({ ...issuer, uses }, settings, runtime, egress);
    return isAskedOnly(issuer) ? { ...keySets, warm: async () => {} } : keySets;
  });
}

/** An issuer that is asked about tokens and names no keys may have none: they are looked for once a signed token comes. */
function isAskedOnly({ introspection, keys }: IssuerSettings): boolean {
  return introspection !== null && keys.from === 'discovery';
}

/** Whose keys are read, and from where. */
interface KeyHolder
  extends Pick<IssuerSettings, 'keys' | 'keysTokenFile' | 'keySetHosts' | 'algorithms' | 'spellings'> {
  readonly uses: readonly string[];
  /** Where discovery looks for the metadata; the usual places where it is left out. */
  readonly metadataUrls?: readonly string[];
}

/** Makes the key sets of one holder of keys. */
export function keySetsFrom(
  holder: KeyHolder,
  settings: Config['settings'],
  runtime: Runtime,
  egress: Fetch,
): ManagedKeySets {
  const { clock, log, random, sleep, sharePromises, sharedKeySets } = runtime;
  const rules = { algorithms: withSynonyms(holder.algorithms), uses: holder.uses };
  if (holder.keys.from === 'inline') return createFixedKeySets(holder.keys.text, rules);
  const steady = steadyClock(runtime);
  const source = sourceOf(holder, { runtime, steady }, egress);
  const { copyName } = source;
  return createKeySets(
    {
      ...rules,
      issuer: holder.spellings[0] ?? null,
      ttlSeconds: settings.jwksTtlSeconds,
      maxStaleSeconds: settings.jwksMaxStaleSeconds,
      timeoutSeconds: settings.jwksTimeoutSeconds,
      maxAttempts: settings.jwksMaxAttempts,
      backoffSeconds: settings.jwksBackoffSeconds,
      maxBackoffSeconds: settings.jwksMaxBackoffSeconds,
    },
    {
      ...{ source, clock: steady, wallClock: clock, log, random, sleep, sharePromises },
      ...(sharedKeySets && copyName !== null ? { shared: sharedKeySets(copyName) } : {}),
    },
  );
}

function sourceOf(
  holder: KeyHolder,
  { runtime, steady }: { readonly runtime: Runtime; readonly steady: Clock },
  fetch: Fetch,
): KeySource {
  const { keys, keysTokenFile, keySetHosts, metadataUrls: urls } = holder;
  const { sleep, readFile } = runtime;
  const read = readFile ?? (() => Promise.reject(new Error('there are no files')));
  const token = keysTokenFile === null ? null : () => read(keysTokenFile);
  switch (keys.from) {
    case 'url':
      return keySetAt(keys.url.href, { fetch, sleep }, token);
    case 'discovery':
      return keySetByDiscovery(
        { issuer: keys.issuer, keySetHosts, ...(urls === undefined ? {} : { urls }) },
        { fetch, sleep, clock: steady },
        token,
      );
    case 'file':
      return keySetInFile(keys.path, read);
    case 'inline':
    case 'secret':
      throw new Error('these keys are not read');
  }
}

/** The issuers, ready to verify tokens with their keys. */
export function composeIssuers(config: Config, keySets: IssuerKeySets): readonly TokenIssuer[] {
  const { settings, documents } = config;
  return config.issuers.map((issuer, index) => ({
    spellings: issuer.spellings,
    trustDomain: issuer.trustDomain,
    algorithms: issuer.algorithms,
    types: issuer.types.filter((type) => type !== 'absent'),
    typeMayBeAbsent: issuer.types.includes('absent'),
    keySets: keySets[index] ?? null,
    audiences: issuer.audiences,
    audienceClaim: issuer.audienceClaim === null ? null : compileClaimPath(issuer.audienceClaim),
    clockSkewSeconds: settings.jwtClockSkewSeconds,
    maximumLifetimeSeconds: issuer.maximumLifetimeSeconds,
    required: Object.entries(issuer.required).map(([path, values]) => ({
      path: compileClaimPath(path),
      test: compileClaimTest(values),
    })),
    subject: issuer.subject.map(compileClaimPath),
    grants: createClaimGrants({
      ...issuer,
      roleScopes: composeRoleScopes(config, [documents.roleScopes, issuer.roleScopes]),
    }),
    identifiesByIssuer: issuer.identifiesByIssuer,
    setBy: issuer.setBy,
  }));
}

/** What each role grants: the plan's three, and further ones. */
export function composeRoleScopes(
  { settings }: Pick<Config, 'settings'>,
  further: readonly Readonly<Record<string, readonly string[]>>[],
) {
  const { roleAdminScopes: admin, roleAnalystScopes: analyst, roleReaderScopes: reader } = settings;
  const revokeScope = settings.preset === 'none' ? null : settings.scopeRevoke;
  return roleScopes({ admin, analyst, reader }, revokeScope, further);
}

/** Whether a token could be verified now: the keys of at least one issuer can be used. */
export function keysReady(keySets: IssuerKeySets, asksAboutTokens = false): boolean {
  return asksAboutTokens || keySets.length === 0 || keySets.some((each) => each === null || each.state().keys > 0);
}

/** Loads every key set ahead of the first request, all at once. Never rejects. */
export async function warmKeySets(keySets: IssuerKeySets, context: RequestContext): Promise<void> {
  await Promise.all(keySets.map((each) => each?.warm(context)));
}

/** How each key set fares that is read from somewhere. */
export function keySetStates({ issuers }: Pick<Config, 'issuers'>, keySets: IssuerKeySets): readonly KeySetState[] {
  return keySets.flatMap((each, index) => {
    const issuer = issuers[index];
    const isRead = issuer !== undefined && issuer.keys.from !== 'inline' && !isAskedOnly(issuer);
    return each === null || !isRead ? [] : [each.state()];
  });
}
