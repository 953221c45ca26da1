import { partsOfSubject } from '../authenticate/jwt/subject.ts';
import type { RevocationKind } from '../decision/reason.ts';
import { wire } from '../http/revocation-api.ts';
import { DEFAULT_LIFETIME_SECONDS, revocationId } from '../revoke/entry.ts';
import type { Revocation, RevocationOutcome, RevocationPage, Revocations } from '../revoke/revocation.ts';
import { command, Failure, type Group, type Output, Usage } from './command.ts';
import { composeForCommand, storeFailure } from './compose.ts';
import { counted } from './line/text.ts';

const kinds = {
  jti: 'jti',
  sub: 'sub',
  kid: 'kid',
  thumbprint: 'thumbprint',
  'key-id': 'key_id',
} as const satisfies Readonly<Record<string, RevocationKind>>;

function idOf(kind: RevocationKind, text: string, issuer: string | undefined): string {
  if (issuer !== undefined && (kind !== 'sub' || issuer === '')) throw new Usage('--issuer goes with a subject');
  const id = revocationId(kind, text, issuer);
  if (id === null && kind === 'sub') throw new Usage('a subject has no control characters');
  if (id === null) throw new Usage('a thumbprint is the SHA-256 of the certificate, hexadecimal or base64url');
  return id;
}

interface SharedStore {
  readonly revocations: Revocations;
  /** What was done. Throws with the cause where the store did not do it. */
  doneOf<T>(outcome: RevocationOutcome<T>): T;
  /** Within how many seconds a revocation holds everywhere; 0: with the next decision. */
  readonly boundSeconds: number;
  readonly note: string;
}

/** The store of the configuration. Throws where there is none: revocations would end with this process. */
async function storeOf(console: Output): Promise<SharedStore> {
  const composed = await composeForCommand(console);
  const { settings } = composed.config;
  if (!settings.redisUrl)
    throw new Failure(
      'not_configured',
      'TGEFD_REDIS_URL: found nothing; accepted: the store that the authorizers share',
    );
  const boundSeconds = settings.rateLimitMode === 'exact' ? 0 : settings.revocationMaximumDelaySeconds;
  const bound = boundSeconds === 0 ? 'with the next decision' : `within ${boundSeconds} s`;
  const doneOf: SharedStore['doneOf'] = (outcome) => {
    if (outcome.done) return outcome.value;
    throw storeFailure(composed);
  };
  return { revocations: composed.revocations, doneOf, boundSeconds, note: `holds everywhere ${bound}` };
}

function shown(entry: Revocation): string[] {
  const { issuer, subject } = partsOfSubject(entry.id);
  return [
    entry.kind.padEnd(10),
    subject,
    issuer === null ? '' : `of ${issuer}`,
    entry.beforeSeconds === null ? '' : `issued before ${instant(entry.beforeSeconds)}`,
    `until ${instant(entry.expiresAtSeconds)}`,
    entry.reason === null ? '' : JSON.stringify(entry.reason),
  ];
}

function line(entry: Revocation): string {
  return shown(entry)
    .filter((part) => part !== '')
    .join('  ');
}

function instant(seconds: number): string {
  return new Date(seconds * 1000).toISOString();
}

function seconds(text: string, name: string): number {
  if (!/^\d{1,12}$/.test(text)) throw new Usage(`--${name} is a whole number of seconds`);
  return Number(text);
}

const issuerOption = {
  issuer: { type: 'string', value: 'URL', means: 'Issuer of the subject, if several are configured.' },
} as const;

export const revoke = command({
  summary: 'Refuses a token, subject, key or certificate from now on.',
  options: {
    jti: { type: 'string', value: 'ID', means: 'One token, by its id.' },
    sub: { type: 'string', value: 'NAME', means: 'Every token of a subject that was issued until now.' },
    kid: { type: 'string', value: 'ID', means: 'Every token that this key signed.' },
    thumbprint: {
      type: 'string',
      value: 'SHA256',
      means: 'A client certificate, by its SHA-256 in hexadecimal or base64url.',
    },
    'key-id': { type: 'string', value: 'ID', means: 'An API key, by the id of its holder.' },
    ...issuerOption,
    before: { type: 'string', value: 'EPOCH', means: 'With --sub: refuses tokens issued before this epoch second.' },
    'expires-in': {
      type: 'string',
      value: 'SECONDS',
      default: String(DEFAULT_LIFETIME_SECONDS),
      means: 'How long the revocation is kept. Give at least the lifetime of the credential.',
    },
    reason: { type: 'string', value: 'TEXT', means: 'A note for people.' },
  },
  examples: [
    { line: 'revoke --jti 01M8DNDDJNXN5QJTXWW4WQGCKG --reason leaked', does: 'Refuses one token.' },
    {
      line: 'revoke --sub alice --issuer https://issuer.example/',
      does: 'Refuses every token that this issuer gave alice until now.',
    },
  ],
  json: 'An object: `revocation` (`kind`, `id`, `expires_at`, …) and `bound_sec`, within which it holds everywhere (0: with the next decision).',
  notes: ['Give exactly one of --jti, --sub, --kid, --thumbprint and --key-id.'],
  async run(values, console) {
    const named = Object.entries(kinds).flatMap(([name, kind]) => {
      const id = values[name as keyof typeof kinds];
      return id === undefined ? [] : [{ kind, id }];
    });
    const [given] = named;
    if (given === undefined || named.length > 1 || given.id === '')
      throw new Usage('exactly one of --jti, --sub, --kid, --thumbprint, --key-id');
    const what = { ...given, id: idOf(given.kind, given.id, values.issuer) };
    if (values.before !== undefined && what.kind !== 'sub') throw new Usage('--before goes with --sub');
    const lifetime = seconds(values['expires-in'], 'expires-in');
    const nowSeconds = Math.floor(Date.now() / 1000);
    const before = values.before === undefined ? nowSeconds + 1 : seconds(values.before, 'before');

    const { revocations: store, doneOf, boundSeconds, note } = await storeOf(console);
    const outcome = await store.add({
      ...what,
      beforeSeconds: what.kind === 'sub' ? before : null,
      expiresAtSeconds: nowSeconds + lifetime,
      reason: values.reason ?? null,
      createdAtSeconds: nowSeconds,
      by: 'cli',
    });
    const entry = doneOf(outcome);
    console.answer({ revocation: wire(entry), bound_sec: boundSeconds });
    console.out(line(entry));
    console.out(note);
    return 0;
  },
});

const list = command({
  summary: 'Lists the revocations in force.',
  examples: [{ line: 'revocations list', does: 'Lists every entry. Tokens and subjects appear as pseudonyms.' }],
  json: 'An object: `revocations`, a list of entries (`kind`, `id`, `issuer`, `before`, `expires_at`, `created_at`, `reason`, `by`).',
  async run(_, console) {
    const { revocations: store, doneOf } = await storeOf(console);
    const entries: Revocation[] = [];
    for (let cursor: string | null = null, first = true; first || cursor !== null; first = false) {
      const page: RevocationPage = doneOf(await store.list(cursor));
      entries.push(...page.entries);
      console.progress(counted(entries.length, 'revocation'));
      cursor = page.next;
    }
    console.answer({ revocations: entries.map((entry) => wire(entry)) });
    console.table(['KIND', 'ID', 'ISSUER', 'REFUSES TOKENS', 'IN FORCE', 'REASON'], entries.map(shown));
    if (entries.length === 0) console.err('no revocation is in force');
    return 0;
  },
});

const entryOperands = [
  {
    name: 'KIND',
    count: 'one',
    choices: ['jti', 'sub', 'kid', 'thumbprint', 'key-id', 'key_id'],
    means: 'Kind of the revoked credential.',
  },
  { name: 'ID', count: 'one', means: 'Id of the revoked credential.' },
] as const;

function wanted([kindText = '', id = '']: readonly string[], issuer: string | undefined) {
  const kind = kinds[kindText.replace('key_id', 'key-id') as keyof typeof kinds];
  return { kind, id: idOf(kind, id, issuer) };
}

const show = command({
  summary: 'Shows one revocation.',
  operands: entryOperands,
  options: issuerOption,
  examples: [{ line: 'revocations show sub alice', does: 'Shows until when tokens of alice are refused.' }],
  json: 'An object: `revocation`, the entry or null.',
  exits: { yes: 'There is such an entry.', no: 'There is none.' },
  async run({ issuer }, console, operands) {
    const { kind, id } = wanted(operands, issuer);
    const { revocations: store, doneOf } = await storeOf(console);
    const found = doneOf(await store.find(kind, id));
    console.answer({ revocation: found && wire(found) });
    console.out(found ? line(found) : 'there is no such entry');
    return found ? 0 : 1;
  },
});

const remove = command({
  summary: 'Deletes one revocation.',
  operands: entryOperands,
  options: issuerOption,
  examples: [{ line: 'revocations remove key-id ci', does: 'Accepts the API key of ci again.' }],
  json: 'An object: `removed`, and `bound_sec`, within which that holds everywhere.',
  exits: { yes: 'It was taken back.', no: 'There was none.' },
  async run({ issuer }, console, operands) {
    const { kind, id } = wanted(operands, issuer);
    const { revocations: store, doneOf, boundSeconds, note } = await storeOf(console);
    const removed = doneOf(await store.remove(kind, id));
    console.answer({ removed, bound_sec: boundSeconds });
    console.out(removed ? `taken back; ${note}` : 'there is no such entry');
    return removed ? 0 : 1;
  },
});

export const revocations: Group = {
  summary: 'Lists the revocations in force, or shows or deletes one.',
  commands: { list, show, remove },
  fallback: 'list',
};
