import { readFile } from 'node:fs/promises';
import { type CompactJws, parseCompactJws } from '../../authenticate/jwt/compact-jws.ts';
import { isRefusal } from '../../authenticate/jwt/refusal.ts';
import { refusalFacts } from '../../authenticate/jwt/refusal-facts.ts';
import { checkClaims } from '../../authenticate/jwt/token-claims.ts';
import { shownClaim } from '../../authenticate/jwt/token-issuer.ts';
import { providers } from '../../authenticate/providers/table.ts';
import { isJsonObject, member } from '../../codec/strict-json.ts';
import { composeIssuers } from '../../compose/authenticate/issuers.ts';
import type { DeclaredIssuer } from '../../config/issuers/issuer.ts';
import { loadConfig } from '../../config/load.ts';
import { problemLine } from '../../config/problem.ts';
import { explained, printable, requestWith } from '../../policy/explain/explanation.ts';
import { type Console, options, Usage } from '../command.ts';
import { composeForCommand } from '../compose.ts';
import { type KeysFound, keysOf } from './token-keys.ts';
import { placesOf, settingsFor, type TokenSettings } from './token-settings.ts';

const productLimitSeconds = 3600;

/**
 * `doctor token`: reads one real token and tells which settings fit it. With a configuration in the environment it also
 * tells what of it refuses the token. Prints neither the token nor its signature. Exit status 0: accepted.
 */
export async function doctorToken(args: readonly string[], console: Console): Promise<number> {
  const { values } = options(args, { 'token-file': { type: 'string' }, offline: { type: 'boolean', default: false } });
  const file = values['token-file'];
  if (file === undefined) throw new Usage('--token-file is a file with one token');
  const text = (await readFile(file, 'utf8')).trim().replace(/^(bearer|dpop) +/i, '');
  const jws = parseCompactJws(text);
  if (typeof jws === 'string') {
    console.out(
      `This is no JWT (${jws}). An opaque token can only be judged by its issuer: see the member \`introspection\`.`,
    );
    return 1;
  }
  const nowSeconds = Date.now() / 1000;
  const settings = settingsFor(jws);
  tellToken(jws, settings, nowSeconds, console);
  const keys = await keysOf(jws, text, settings, values.offline, console.env);
  for (const line of keys.lines) console.out(`keys           ${printable(line)}`);
  console.out('');
  const fits = tellSettings(jws, settings, keys, nowSeconds, console);
  const configured = Object.keys(console.env).some((name) => /^TGEFD_(AUTH_MODE|ISSUERS|JWT_|JWKS_|POLICY)/.test(name));
  if (!configured) {
    console.out('');
    console.out('No configuration in this environment: nothing else to compare the token with.');
    return fits ? 0 : 1;
  }
  return compare(text, console);
}

function tellToken(
  { header, claims }: CompactJws,
  settings: TokenSettings,
  nowSeconds: number,
  console: Console,
): void {
  const say = (name: string, value: string) => console.out(`${name.padEnd(14)} ${printable(value)}`);
  const { provider } = settings;
  say(
    'looks like',
    provider === null ? 'no provider that has named defaults' : `${providers[provider].title} (${provider})`,
  );
  say('iss', shownClaim(claims.iss));
  say('aud', shownClaim(claims.aud));
  say('algorithm', `${shownClaim(header.alg)}, kid ${shownClaim(header.kid)}, typ ${shownClaim(header.typ)}`);
  const { exp, iat } = claims;
  if (typeof exp === 'number' && typeof iat === 'number') {
    const limit = (provider === null ? null : providers[provider].maximumLifetimeSeconds) ?? productLimitSeconds;
    const over = exp - iat > limit ? `: more than the limit of ${limit} s` : `, within the limit of ${limit} s`;
    say('lifetime', `${exp - iat} s${over}`);
  }
  if (typeof exp === 'number' && exp <= nowSeconds) say('expired', `${Math.floor(nowSeconds - exp)} s ago`);
  const { scopes, roles } = placesOf({ claims });
  const listed = (places: typeof scopes) =>
    places.length === 0
      ? 'none found'
      : places
          .map(({ path, names }) => `${path}: ${names.slice(0, 12).join(' ')}${names.length > 12 ? ' …' : ''}`)
          .join('; ');
  say('scopes', listed(scopes));
  say('roles', listed(roles));
  say('subject', `${settings.row.subject?.[0] ?? 'sub'}: ${shownClaim(claims[settings.row.subject?.[0] ?? 'sub'])}`);
  const cnf = claims.cnf ?? null;
  if (isJsonObject(cnf) && typeof member(cnf, 'jkt') === 'string')
    say('bound', 'to a key (cnf.jkt): send it with the scheme DPoP and a proof for each request');
  for (const remark of settings.remarks) say('note', remark);
}

/** Prints the lines of configuration, and judges the claims under them with the real code. Whether they are accepted. */
function tellSettings(
  jws: CompactJws,
  { row }: TokenSettings,
  keys: KeysFound,
  nowSeconds: number,
  console: Console,
): boolean {
  const json = JSON.stringify([simplified(row)]);
  console.out('Settings under which this token is accepted:');
  console.out('');
  console.out('  TGEFD_AUTH_MODE=jwt');
  for (const line of asVariables(row)) console.out(`  ${printable(line)}`);
  console.out('');
  console.out('or, for several issuers:');
  console.out('');
  console.out(`  TGEFD_ISSUERS='${printable(json).replaceAll("'", "'\\''")}'`);
  console.out('');
  const loaded = loadConfig(
    {
      TGEFD_ENV: 'development',
      TGEFD_AUTH_MODE: 'jwt',
      TGEFD_UPSTREAM_URL: 'http://127.0.0.1:9',
      // Only the claims are judged here, so any key set does.
      TGEFD_ISSUERS: JSON.stringify([{ keys: 'https://keys.invalid/', ...simplified(row) }]),
    },
    { platform: 'cli', role: 'gateway', upstreamBinding: false, bucketBinding: false },
  );
  if (!loaded.ok) {
    console.out('These settings are not complete yet:');
    for (const problem of loaded.problems) console.out(`  ${printable(problemLine(problem))}`);
    return false;
  }
  const issuers = composeIssuers(loaded.config, [null]);
  const [issuer] = issuers;
  if (issuer === undefined) return false;
  // An old token still shows the right settings: its claims are judged at an instant at which it was valid.
  const { exp } = jws.claims;
  const atSeconds = typeof exp === 'number' && exp <= nowSeconds ? exp - 1 : nowSeconds;
  const facts = checkClaims(jws.claims, issuer, atSeconds);
  if (isRefusal(facts)) {
    const { found, wanted } = refusalFacts(facts, jws, issuer, issuers, nowSeconds * 1000);
    console.out(
      `With them its claims are still refused: ${facts.reason}, found ${printable(found ?? '')}, wanted ${printable(wanted ?? '')}`,
    );
    return false;
  }
  const grant = issuer.grants.ofClaims(jws.claims);
  console.out(
    `With them the caller is ${printable(facts.subject)}, and holds the scopes: ${printable(grant.scopes.join(' ')) || 'none'}`,
  );
  const ignored = issuer.grants.ignoredRoles(jws.claims);
  if (ignored) console.out(`Roles that grant nothing: ${printable(ignored.roles)} (${ignored.why})`);
  if (atSeconds !== nowSeconds) console.out('It has expired: ask for a new one before you try it.');
  if (keys.verified === false) console.out('Its signature is refused all the same: see `keys` above.');
  if (keys.missing) console.out('A key set is still missing, and so its signature was not tried: see `keys` above.');
  return keys.verified !== false && !keys.missing && atSeconds === nowSeconds;
}

/** A row as people write it: a list of one is its entry. */
function simplified(row: object): object {
  return Object.fromEntries(
    Object.entries(row).map(([name, value]) => [name, Array.isArray(value) && value.length === 1 ? value[0] : value]),
  );
}

function asVariables(row: DeclaredIssuer): readonly string[] {
  const list = (name: string, values: readonly string[] | undefined) => (values ? [`${name}=${values.join(',')}`] : []);
  const json = (name: string, value: unknown) => (value === undefined ? [] : [`${name}='${JSON.stringify(value)}'`]);
  const [firstRole, secondRole, ...moreRoles] = row.roles ?? [];
  const tooMany = (row.scopes?.length ?? 0) > 1 || moreRoles.length > 0;
  if (tooMany) return ['(several scope or role claims stand in a row of TGEFD_ISSUERS only)'];
  return [
    ...(row.provider === undefined ? [] : [`TGEFD_PROVIDER=${row.provider}`]),
    ...list('TGEFD_JWT_ISSUER', row.issuer),
    ...list('TGEFD_JWT_AUDIENCE', row.audience),
    ...(row.audience_claim === undefined ? [] : [`TGEFD_JWT_AUDIENCE_CLAIM=${row.audience_claim}`]),
    ...list('TGEFD_JWT_ALLOWED_ALGS', row.algorithms),
    ...list('TGEFD_JWT_TYP', row.types),
    ...(row.max_ttl_sec === undefined ? [] : [`TGEFD_JWT_MAX_TTL_SEC=${row.max_ttl_sec}`]),
    ...list('TGEFD_JWT_SUB_CLAIM', row.subject),
    ...list('TGEFD_JWT_SCOPES_CLAIM', row.scopes),
    ...(firstRole === undefined ? [] : [`TGEFD_ROLES_CLAIM=${firstRole}`]),
    ...(secondRole === undefined ? [] : [`TGEFD_ROLE_CLAIM=${secondRole}`]),
    ...(row.grants === undefined ? [] : [`TGEFD_JWT_GRANTS=${row.grants}`]),
    ...json('TGEFD_ROLE_SCOPES', row.role_scopes),
    ...json('TGEFD_JWT_REQUIRED_CLAIMS', row.require),
  ];
}

/** What the configuration of the environment says to the token, decided by the real code. */
async function compare(text: string, console: Console): Promise<number> {
  console.out('');
  const composed = await composeForCommand(console, { trial: true });
  if (!composed) return 2;
  const request = requestWith(composed.config, {
    method: 'GET',
    target: '/doctor-token',
    credential: text,
    fields: [],
  });
  const { decision, denial } = await explained(composed.enforce, composed.config, request);
  const { principal } = decision;
  if (principal !== null) {
    console.out('The configuration of this environment accepts the token.');
    console.out(`  scopes  ${printable(principal.scopes.join(' ')) || 'none'}`);
    return 0;
  }
  console.out(`The configuration of this environment refuses the token: ${decision.denial?.reason}`);
  if (denial === null) return 1;
  console.out(`  found   ${printable(denial.found)}`);
  console.out(`  wanted  ${printable(denial.wanted)}`);
  console.out(`  set by  ${printable(denial.set_by)}`);
  return 1;
}
