import { parseCompactJws } from '../../authenticate/jwt/compact-jws.ts';
import { decodeBase64, encodeBase64url } from '../../codec/base64url.ts';
import { sha256 } from '../../codec/digest.ts';
import { member } from '../../codec/strict-json.ts';
import type { RevocationKind } from '../../decision/reason.ts';
import { entryOf, LONGEST_LIFETIME_SECONDS, type WantedRevocation } from '../../revoke/entry.ts';
import type { Revocation } from '../../revoke/revocation.ts';
import { secondsIn } from '../page/instant.ts';

/** What can be revoked, in the order of the form; `token` is one that was pasted whole. */
export const WHATS = ['token', 'sub', 'jti', 'kid', 'thumbprint', 'key_id'] as const;
export type What = (typeof WHATS)[number];

/** Which tokens of a caller are refused. */
export const CUTS = ['now', 'always', 'time'] as const;
export type Cut = (typeof CUTS)[number];

/** The form as it was sent, for another try. A pasted token is never among it. */
export interface FormValues {
  readonly what: string;
  readonly id: string;
  readonly issuer: string;
  readonly reason: string;
}

/** What a pasted token says of itself; nothing of it is verified. */
export interface TokenSays {
  readonly subject: string | null;
  readonly issuer: string | null;
  readonly expiresAtSeconds: number | null;
}

export type Wanted =
  | {
      readonly found: 'entry';
      readonly wanted: WantedRevocation;
      readonly cut: Cut;
      /** Null where no token was pasted. */
      readonly token: TokenSays | null;
    }
  | { readonly found: 'problem'; readonly problem: string; readonly values: FormValues };

const LONGEST_ID = 512;
const LONGEST_REASON = 256;
/** A token's own time of expiry plus this: clocks may differ, and a verifier may be patient. */
const AFTER_EXPIRY_SECONDS = 600;

/** Reads the form of the screen *Revoke*. */
export async function readWanted(form: URLSearchParams, nowSeconds: number): Promise<Wanted> {
  const text = (name: string) => (form.get(name) ?? '').trim();
  const what = WHATS.find((each) => each === text('kind'));
  const cut = CUTS.find((each) => each === (text('cut') || 'now'));
  const [given, issuer, reason] = [text('id'), text('issuer') || null, text('reason')];
  const values = { what: what ?? 'token', id: what === 'token' ? '' : given, issuer: issuer ?? '', reason };
  const problem = (said: string, changed: Partial<FormValues> = {}): Wanted => ({
    found: 'problem',
    problem: said,
    values: { ...values, ...changed },
  });
  if (what === undefined || cut === undefined) return problem('This is nothing that can be revoked.');
  if (given === '') return problem('What is to be revoked? The field is empty.');
  if (reason.length > LONGEST_REASON || hasControls(reason)) return problem('A reason has at most 256 characters.');
  if (issuer !== null && what !== 'sub') return problem('An issuer goes with a caller only.');
  const expiresAt = secondsIn(text('expires'));
  const before = cut === 'time' ? secondsIn(text('before')) : undefined;
  if (expiresAt === null || before === null || (cut === 'time' && before === undefined))
    return problem('A time has the form 2026-11-27 14:03:27.');
  const common = { expiresAt, reason: reason || null };
  if (what === 'token') return ofToken(given, { ...common, nowSeconds }, problem);
  const id = what === 'thumbprint' ? await thumbprintOf(given) : given;
  if (id === null || id.length > LONGEST_ID || hasControls(id))
    return problem(
      what === 'thumbprint'
        ? 'Paste the certificate (PEM), or its SHA-256 in hexadecimal digits or base64url.'
        : 'A name has 1 to 512 characters and no control characters.',
    );
  return {
    found: 'entry',
    wanted: { kind: what, id, issuer, ...common, ...cutOff(what, cut, before) },
    cut,
    token: null,
  };
}

/** The entry of what is wanted, from now on; null where a time does not fit. */
export function entryWanted(
  { wanted, cut }: Extract<Wanted, { found: 'entry' }>,
  nowSeconds: number,
  by: string,
): Revocation | null {
  const entry = entryOf(wanted, nowSeconds, by);
  const isForAll = entry !== null && entry.kind === 'sub' && cut === 'always';
  return isForAll ? { ...entry, beforeSeconds: entry.expiresAtSeconds } : entry;
}

function cutOff(kind: RevocationKind, cut: Cut, before: number | undefined): Pick<WantedRevocation, 'before'> {
  return kind === 'sub' && cut === 'time' ? { before } : {};
}

/** The entry that refuses one token, by the id in it. */
function ofToken(
  given: string,
  { nowSeconds, expiresAt, reason }: { nowSeconds: number; expiresAt: number | undefined; reason: string | null },
  problem: (said: string, changed?: Partial<FormValues>) => Wanted,
): Wanted {
  const jws = parseCompactJws(given.replace(/^(bearer|dpop)\s+/i, '').replace(/\s+/g, ''));
  if (typeof jws === 'string')
    return problem('This is no JWT. Of an opaque token or a key, revoke its caller or its id.');
  const claim = (name: string) => {
    const value = member(jws.claims, name);
    return typeof value === 'string' ? value : null;
  };
  const [id, subject, issuer, exp] = [claim('jti'), claim('sub'), claim('iss'), member(jws.claims, 'exp')];
  const expiresAtSeconds = typeof exp === 'number' ? Math.ceil(exp) : null;
  if (id === null || id === '' || id.length > LONGEST_ID || hasControls(id) || id.trim() !== id)
    return problem(
      'The token has no id (jti) by which it alone could be revoked. Revoke its caller, as filled in here.',
      {
        what: 'sub',
        id: subject ?? '',
        issuer: issuer ?? '',
      },
    );
  const ends =
    expiresAtSeconds === null
      ? undefined
      : Math.min(expiresAtSeconds + AFTER_EXPIRY_SECONDS, nowSeconds + LONGEST_LIFETIME_SECONDS);
  if (expiresAt === undefined && ends !== undefined && ends <= nowSeconds)
    return problem('The token has expired: it is refused anyway.');
  const wanted = { kind: 'jti', id, issuer: null, reason, expiresAt: expiresAt ?? ends } as const;
  return { found: 'entry', wanted, cut: 'now', token: { subject, issuer, expiresAtSeconds } };
}

/** The SHA-256 of a certificate that was pasted as PEM, else the text as given. */
async function thumbprintOf(given: string): Promise<string | null> {
  const [, pem] = /^-----BEGIN CERTIFICATE-----([A-Za-z0-9+/=\s]+)-----END CERTIFICATE-----$/.exec(given) ?? [];
  if (pem === undefined) return given;
  const der = decodeBase64(pem.replace(/\s+/g, ''));
  return der && encodeBase64url(await sha256(der));
}

function hasControls(text: string): boolean {
  return /\p{Cc}/u.test(text);
}
