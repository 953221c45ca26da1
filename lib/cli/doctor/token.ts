import { readFile } from 'node:fs/promises';
import { type CompactJws, parseCompactJws } from '../../authenticate/jwt/compact-jws.ts';
import { isRefusal } from '../../authenticate/jwt/refusal.ts';
import { refusalFacts } from '../../authenticate/jwt/refusal-facts.ts';
import { checkClaims } from '../../authenticate/jwt/token-claims.ts';
import { shownClaim } from '../../authenticate/jwt/token-issuer.ts';
import { providers } from '../../authenticate/providers/table.ts';
import { isJsonObject, member } from '../../codec/strict-json.ts';
import { composeIssuers } from '../../compose/authenticate/issuers.ts';
import { loadConfig } from '../../config/load.ts';
import { problemLine } from '../../config/problem.ts';
import { explained, printable, requestWith } from '../../policy/explain/explanation.ts';
import { command, type Output, Unusable } from '../command.ts';
import { composeForCommand } from '../compose.ts';
import { quoted } from '../line/text.ts';
import { createSheet, type Sheet } from './sheet.ts';
import { type KeysFound, keysOf } from './token-keys.ts';
import { placesOf, settingsFor, subjectClaim, type TokenSettings } from './token-settings.ts';
import { simplified, variableLines } from './token-variables.ts';

const productLimitSeconds = 3600;

/** Reads one real token, and tells which settings fit it. Prints neither the token nor its signature. */
export const token = command({
  summary: 'Prints the settings that fit one token, and names the part of the configuration that refuses it.',
  options: {
    'token-file': { type: 'string', value: 'FILE', required: true, means: 'A file with one token.' },
    offline: { type: 'boolean', means: 'Does not ask the issuer for its keys.' },
  },
  examples: [
    {
      line: 'doctor token --token-file token',
      does: 'Asks the issuer for its keys and prints the settings for the token.',
    },
  ],
  json: 'An object: `token` (what it says), `keys`, `settings` (`variables`, `issuers`, `problems`, `accepted`, `remarks`) and `configuration`: null where the environment has none, else `accepted`, `scopes`, `reason`, `found`, `wanted`, `set_by`.',
  exits: { yes: 'The token is accepted.', no: 'It is refused.' },
  notes: ['Without a configuration in the environment, the command checks the token with the settings that it prints.'],
  async run({ 'token-file': file, offline }, console) {
    const text = (await readFile(file, 'utf8')).trim().replace(/^(bearer|dpop) +/i, '');
    const jws = parseCompactJws(text);
    if (typeof jws === 'string')
      throw new Unusable(
        `This is no JWT (${jws}). An opaque token can only be judged by its issuer: see the member \`introspection\`.`,
      );
    const nowSeconds = Date.now() / 1000;
    const settings = settingsFor(jws);
    const sheet = createSheet(console);
    tellToken(jws, settings, nowSeconds, sheet);
    console.progress('asking the issuer');
    const keys = await keysOf(jws, text, settings, offline, console.env);
    for (const line of keys.lines) console.out(`keys           ${printable(line)}`);
    console.out('');
    const fitting = fittingSettings(jws, settings, keys, nowSeconds);
    tellSettings(fitting, console);
    const isConfigured = Object.keys(console.env).some((name) =>
      /^TGEFD_(AUTH_MODE|ISSUERS|JWT_|JWKS_|POLICY)/.test(name),
    );
    const configuration = isConfigured ? await configuredAnswer(text, console) : null;
    console.answer({ token: sheet.facts(), keys: keys.lines, settings: fitting, configuration });
    console.out('');
    if (configuration === null)
      console.out('No configuration in this environment: nothing else to compare the token with.');
    else tellConfigured(configuration, console);
    return (configuration ?? fitting).accepted ? 0 : 1;
  },
});

function tellToken({ header, claims }: CompactJws, settings: TokenSettings, nowSeconds: number, { say }: Sheet): void {
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
  const { path, value } = subjectClaim(claims, settings);
  say('subject', `${path}: ${shownClaim(value)}`);
  const cnf = claims.cnf ?? null;
  if (isJsonObject(cnf) && typeof member(cnf, 'jkt') === 'string')
    say('bound', 'to a key (cnf.jkt): send it with the scheme DPoP and a proof for each request');
  for (const remark of settings.remarks) say('note', remark);
}

/** Settings for a token, and what the real code says to its claims under them. */
interface Fitting {
  readonly variables: readonly string[];
  readonly issuers: readonly object[];
  /** What the settings still lack. */
  readonly problems: readonly string[];
  readonly accepted: boolean;
  readonly remarks: readonly string[];
}

function tellSettings({ variables, issuers, problems, remarks }: Fitting, console: Output): void {
  console.out(console.style('heading', 'Settings under which this token is accepted:'));
  console.out('');
  for (const line of variables) console.out(`  ${printable(line)}`);
  console.out('');
  console.out('or, for several issuers:');
  console.out('');
  console.out(`  TGEFD_ISSUERS=${quoted(printable(JSON.stringify(issuers)))}`);
  console.out('');
  if (problems.length > 0) console.out('These settings are not complete yet:');
  for (const problem of problems) console.out(`  ${printable(problem)}`);
  for (const remark of remarks) console.out(remark);
}

/** The settings for a token; its claims are judged under them by the real code. */
function fittingSettings(jws: CompactJws, { row }: TokenSettings, keys: KeysFound, nowSeconds: number): Fitting {
  const written = {
    variables: variableLines(row),
    issuers: [simplified(row)],
    problems: [],
    accepted: false,
    remarks: [],
  };
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
  if (!loaded.ok) return { ...written, problems: loaded.problems.map(problemLine) };
  const issuers = composeIssuers(loaded.config, [null]);
  const [issuer] = issuers;
  if (issuer === undefined) return written;
  // An old token still shows the right settings: its claims are judged at an instant at which it was valid.
  const { exp } = jws.claims;
  const atSeconds = typeof exp === 'number' && exp <= nowSeconds ? exp - 1 : nowSeconds;
  const facts = checkClaims(jws.claims, issuer, atSeconds);
  if (isRefusal(facts)) {
    const { found, wanted } = refusalFacts(facts, jws, issuer, issuers, nowSeconds * 1000);
    const why = `${facts.reason}, found ${printable(found ?? '')}, wanted ${printable(wanted ?? '')}`;
    return { ...written, remarks: [`With them its claims are still refused: ${why}`] };
  }
  const grant = issuer.grants.ofClaims(jws.claims);
  const ignored = issuer.grants.ignoredRoles(jws.claims);
  const hasExpired = atSeconds !== nowSeconds;
  const remarks = [
    `With them the caller is ${printable(facts.subject)}, and holds the scopes: ${printable(grant.scopes.join(' ')) || 'none'}`,
    ...(ignored ? [`Roles that grant nothing: ${printable(ignored.roles)} (${ignored.why})`] : []),
    ...(hasExpired ? ['It has expired: ask for a new one before you try it.'] : []),
    ...(keys.verified === false ? ['Its signature is refused all the same: see `keys` above.'] : []),
    ...(keys.missing ? ['A key set is still missing, and so its signature was not tried: see `keys` above.'] : []),
  ];
  return { ...written, remarks, accepted: keys.verified !== false && !keys.missing && !hasExpired };
}

interface Configured {
  readonly accepted: boolean;
  readonly scopes: readonly string[];
  readonly reason: string | null;
  readonly found: string | null;
  readonly wanted: string | null;
  readonly set_by: string | null;
}

/** What the configuration of the environment says to the token, decided by the real code. */
async function configuredAnswer(text: string, console: Output): Promise<Configured> {
  const composed = await composeForCommand(console, { trial: true });
  const target = { method: 'GET', target: '/doctor-token', credential: text, fields: [] };
  const { decision, denial } = await explained(composed.enforce, composed.config, requestWith(composed.config, target));
  const { principal } = decision;
  const accepted = principal !== null;
  return {
    accepted,
    scopes: principal?.scopes ?? [],
    reason: accepted ? null : (decision.denial?.reason ?? null),
    found: accepted ? null : (denial?.found ?? null),
    wanted: accepted ? null : (denial?.wanted ?? null),
    set_by: accepted ? null : (denial?.set_by ?? null),
  };
}

function tellConfigured({ accepted, scopes, reason, found, wanted, set_by: setBy }: Configured, console: Output): void {
  if (accepted) {
    console.out(console.style('good', 'The configuration of this environment accepts the token.'));
    console.out(`  scopes  ${printable(scopes.join(' ')) || 'none'}`);
    return;
  }
  console.out(console.style('bad', `The configuration of this environment refuses the token: ${reason}`));
  if (setBy === null) return;
  console.out(`  found   ${printable(found ?? '')}`);
  console.out(`  wanted  ${printable(wanted ?? '')}`);
  console.out(`  set by  ${printable(setBy)}`);
}
