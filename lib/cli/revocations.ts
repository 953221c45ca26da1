import { partsOfSubject } from '../authenticate/jwt/subject.ts';
import type { RevocationKind } from '../decision/reason.ts';
import { DEFAULT_LIFETIME_SECONDS, revocationId } from '../revoke/entry.ts';
import type { Revocation, RevocationOutcome, Revocations } from '../revoke/revocation.ts';
import { type Command, type Console, options, Usage } from './command.ts';
import { composeForCommand } from './compose.ts';

const kinds: Readonly<Record<string, RevocationKind>> = {
  jti: 'jti',
  sub: 'sub',
  kid: 'kid',
  thumbprint: 'thumbprint',
  'key-id': 'key_id',
};

function idOf(kind: RevocationKind, text: string, issuer: string | undefined): string {
  if (issuer !== undefined && (kind !== 'sub' || issuer === '')) throw new Usage('--issuer goes with a subject');
  const id = revocationId(kind, text, issuer);
  if (id === null && kind === 'sub') throw new Usage('a subject has no control characters');
  if (id === null) throw new Usage('a thumbprint is the SHA-256 of the certificate, hexadecimal or base64url');
  return id;
}

/** The shared store of the environment's configuration, or null (said) where revocations would end with this process. */
async function storeOf(console: Console): Promise<{ revocations: Revocations; note: string } | null> {
  const composed = await composeForCommand(console);
  if (!composed) return null;
  const { settings } = composed.config;
  if (!settings.redisUrl) {
    console.err('TGEFD_REDIS_URL: found nothing; accepted: the store that the authorizers share');
    return null;
  }
  const bound =
    settings.rateLimitMode === 'exact'
      ? 'with the next decision'
      : `within ${settings.revocationMaximumDelaySeconds} s`;
  return { revocations: composed.revocations, note: `holds everywhere ${bound}` };
}

function shown(entry: Revocation): string {
  const { issuer, subject } = partsOfSubject(entry.id);
  return [
    entry.kind.padEnd(10),
    subject,
    issuer === null ? '' : `of ${issuer}`,
    entry.beforeSeconds === null ? '' : `issued before ${new Date(entry.beforeSeconds * 1000).toISOString()}`,
    `until ${new Date(entry.expiresAtSeconds * 1000).toISOString()}`,
    entry.reason === null ? '' : JSON.stringify(entry.reason),
  ]
    .filter((part) => part !== '')
    .join('  ');
}

function answered<T>(outcome: RevocationOutcome<T>, console: Console): outcome is { done: true; value: T } {
  if (!outcome.done) console.err(`the store does not answer; try again in ${outcome.retryAfterSeconds} s`);
  return outcome.done;
}

function seconds(text: string, name: string): number {
  if (!/^\d{1,12}$/.test(text)) throw new Usage(`--${name} is a whole number of seconds`);
  return Number(text);
}

export const revoke: Command = {
  summary: 'refuses a token, subject, key or certificate from now on',
  usage:
    'revoke --jti ID | --sub NAME [--issuer URL] [--before EPOCH] | --kid ID | --thumbprint SHA256 | --key-id ID  [--expires-in SECONDS] [--reason TEXT]',
  async run(args, console) {
    const { values } = options(args, {
      jti: { type: 'string' },
      sub: { type: 'string' },
      kid: { type: 'string' },
      thumbprint: { type: 'string' },
      'key-id': { type: 'string' },
      issuer: { type: 'string' },
      before: { type: 'string' },
      'expires-in': { type: 'string', default: String(DEFAULT_LIFETIME_SECONDS) },
      reason: { type: 'string' },
    });
    const named = Object.entries(kinds).flatMap(([option, kind]) => {
      const id = values[option as 'jti'];
      return id === undefined ? [] : [{ kind, id }];
    });
    const [given] = named;
    if (given === undefined || named.length > 1 || given.id === '')
      throw new Usage('exactly one of --jti, --sub, --kid, --thumbprint, --key-id');
    const what = { ...given, id: idOf(given.kind, given.id, values.issuer) };
    if (values.before !== undefined && what.kind !== 'sub') throw new Usage('--before goes with --sub');
    const lifetime = seconds(values['expires-in'], 'expires-in');

    const store = await storeOf(console);
    if (!store) return 1;
    const nowSeconds = Math.floor(Date.now() / 1000);
    const added = await store.revocations.add({
      ...what,
      beforeSeconds:
        what.kind === 'sub' ? (values.before === undefined ? nowSeconds + 1 : seconds(values.before, 'before')) : null,
      expiresAtSeconds: nowSeconds + lifetime,
      reason: values.reason ?? null,
      createdAtSeconds: nowSeconds,
      by: 'cli',
    });
    if (!answered(added, console)) return 1;
    console.out(shown(added.value));
    console.out(store.note);
    return 0;
  },
};

export const revocations: Command = {
  summary: 'lists the revocations in force, or shows or takes back one',
  usage: 'revocations list | revocations show KIND ID [--issuer URL] | revocations remove KIND ID [--issuer URL]',
  async run(args, console) {
    const { positionals, values } = options(args, { issuer: { type: 'string' } }, true);
    const [verb = 'list', kindText, given] = positionals;
    const kind = kindText === undefined ? undefined : kinds[kindText.replace('key_id', 'key-id')];
    if (!['list', 'show', 'remove'].includes(verb) || (verb !== 'list' && (!kind || !given)))
      throw new Usage(`not understood: ${positionals.join(' ')}`);
    const store = await storeOf(console);
    if (!store) return 1;
    if (verb === 'list') {
      for (let cursor: string | null = null, first = true; first || cursor !== null; first = false) {
        const page = await store.revocations.list(cursor);
        if (!answered(page, console)) return 1;
        for (const entry of page.value.entries) console.out(shown(entry));
        cursor = page.value.next;
      }
      return 0;
    }
    if (!kind || given === undefined) return 2;
    const id = idOf(kind, given, values.issuer);
    if (verb === 'remove') {
      const removed = await store.revocations.remove(kind, id);
      if (!answered(removed, console)) return 1;
      console.out(removed.value ? `taken back; ${store.note}` : 'there is no such entry');
      return removed.value ? 0 : 1;
    }
    const found = await store.revocations.find(kind, id);
    if (!answered(found, console)) return 1;
    console.out(found.value ? shown(found.value) : 'there is no such entry');
    return found.value ? 0 : 1;
  },
};
