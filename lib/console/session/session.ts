import * as z from 'zod/mini';
import { encodeBase64url } from '../../codec/base64url.ts';
import { sha256, utf8 } from '../../codec/digest.ts';
import type { Principal } from '../../decision/principal.ts';
import type { HeaderFields } from '../../decision/request.ts';
import type { Seal } from './seal.ts';

/** `__Host-`: only this origin can set it, over TLS or loopback, for every path (RFC 6265bis). */
export const COOKIE = '__Host-tgefd-console';
export const SESSION_SECONDS = 15 * 60;

const nullableText = z.nullable(z.string());
const nullableSeconds = z.nullable(z.number());

const sealedSession = z.strictObject({
  id: z.string(),
  csrf: z.string(),
  browser: z.string(),
  expiresAtSeconds: z.number(),
  principal: z.strictObject({
    method: z.enum(['api_key', 'jwt', 'mtls', 'none']),
    subject: z.string(),
    identity: z.string(),
    issuer: nullableText,
    scopes: z.array(z.string()),
    roles: z.array(z.string()),
    keyId: nullableText,
    tokenId: nullableText,
    issuedAtSeconds: nullableSeconds,
    expiresAtSeconds: nullableSeconds,
    thumbprint: nullableText,
    revocable: z.optional(z.array(z.string())),
  }),
});

/** One signed-in browser. Nothing is kept here: the browser carries it, sealed. */
export interface Session {
  readonly id: string;
  /** What every form of this session carries. */
  readonly csrf: string;
  readonly expiresAtSeconds: number;
  readonly principal: Principal;
}

/** Begins a session for a caller whom the pipeline has just let in; gives it with the cookie's value. */
export async function beginSession(
  principal: Principal,
  headers: HeaderFields,
  seal: Seal,
  nowSeconds: number,
): Promise<{ readonly session: Session; readonly sealed: string }> {
  const { claims: _claims, ...kept } = principal;
  const session = {
    id: randomText(),
    csrf: randomText(),
    browser: await browserOf(headers),
    expiresAtSeconds: nowSeconds + SESSION_SECONDS,
    principal: kept,
  };
  const sealed = await seal.close(JSON.stringify(session));
  return { session: { ...session, principal: { ...kept, claims: null } }, sealed };
}

/** The session of a request, or null: none, not ours, over, or another browser's. */
export async function sessionOf(headers: HeaderFields, seal: Seal, nowSeconds: number): Promise<Session | null> {
  const sealed = cookieIn(headers);
  const text = sealed === null ? null : await seal.open(sealed);
  if (text === null) return null;
  const parsed = sealedSession.safeParse(JSON.parse(text));
  if (!parsed.success) return null;
  const { browser, principal, ...session } = parsed.data;
  if (session.expiresAtSeconds <= nowSeconds || browser !== (await browserOf(headers))) return null;
  const { revocable, ...rest } = principal;
  return { ...session, principal: { ...rest, claims: null, ...(revocable === undefined ? {} : { revocable }) } };
}

/** The value of the session cookie, or null. */
export function cookieIn(headers: HeaderFields): string | null {
  for (const pair of (headers.get('cookie') ?? '').split(/[;,]\s*/)) {
    const at = pair.indexOf('=');
    if (at > 0 && pair.slice(0, at).trim() === COOKIE && pair.length > at + 1) return pair.slice(at + 1);
  }
  return null;
}

/** The `Set-Cookie` field that keeps a session; null ends it. */
export function sessionCookie(sealed: string | null): string {
  const age = sealed === null ? 0 : SESSION_SECONDS;
  return `${COOKIE}=${sealed ?? ''}; Path=/; Max-Age=${age}; Secure; HttpOnly; SameSite=Strict`;
}

/** What tells this browser from others on every one of its requests: a cookie that was copied elsewhere is worth nothing. */
async function browserOf(headers: HeaderFields): Promise<string> {
  const facts = ['user-agent', 'sec-ch-ua', 'sec-ch-ua-platform'].map((name) => headers.get(name) ?? '');
  return encodeBase64url((await sha256(utf8(facts.join('\n')))).subarray(0, 16));
}

function randomText(): string {
  return encodeBase64url(crypto.getRandomValues(new Uint8Array(18)));
}
