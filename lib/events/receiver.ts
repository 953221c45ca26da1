import { subjectAt } from '../authenticate/jwt/subject.ts';
import type { Verify } from '../authenticate/jwt/verify.ts';
import { encodeBase64url } from '../codec/base64url.ts';
import { sha256, utf8 } from '../codec/digest.ts';
import { type JsonObject, member } from '../codec/strict-json.ts';
import type { Clock, RequestContext } from '../decision/ports.ts';
import type { EventChange, EventStore } from './event-store.ts';
import { type EventEffect, eventTypeOf } from './event-types.ts';
import type { EventError, EventVerdict, SecurityEventToken } from './security-event-token.ts';
import { type EventSubject, readSubject } from './subject.ts';

/** What became of an event that was accepted. */
export type Effect = 'revoked' | 'released' | 'unchanged' | 'repeated' | 'verified' | 'ignored';

/** What is known of an event, for its record. Subjects are raw identities. */
export interface EventFacts {
  /** The transmitter, as configured; null where nobody knows it. */
  readonly issuer: string | null;
  /** Short names of the events. */
  readonly names: readonly string[];
  readonly tokenId: string | null;
  readonly subjects: readonly EventSubject[];
}

export type Received =
  | { readonly outcome: 'accepted'; readonly effect: Effect; readonly facts: EventFacts }
  | { readonly outcome: 'refused'; readonly error: EventError; readonly check: string; readonly facts: EventFacts }
  | {
      readonly outcome: 'unavailable';
      readonly what: 'keys' | 'revocation';
      readonly retryAfterSeconds: number | null;
      readonly facts: EventFacts;
    };

export type ReceiveEvent = (text: string, context: RequestContext, mayFetchKeys: boolean) => Promise<Received>;

export interface ReceiverSettings {
  readonly clockSkewSeconds: number;
  /** The spelling by which tokens of an issuer are known. */
  readonly canonicalIssuer: (issuer: string) => string;
  /** Longest life of a token of an issuer, skew included. */
  readonly longestLifeSeconds: (issuer: string) => number;
}

const nothing: EventFacts = { issuer: null, names: [], tokenId: null, subjects: [] };
/** From here on a number of seconds would be in the year 5138: early drafts of CAEP counted milliseconds. */
const MILLISECONDS_FROM = 100_000_000_000;

/** What a token asks for, or the check that it fails. */
type Planned = { readonly changes: readonly EventChange[]; readonly subjects: readonly EventSubject[] } | string;

/**
 * Makes the receiver of security events: verifies a token, finds out whom its events are about, and applies what they do to
 * the revocations. Nothing is applied unless all of a token can be. Never rejects.
 */
export function createReceiver(
  settings: ReceiverSettings,
  parts: { readonly verify: Verify<EventVerdict>; readonly store: EventStore; readonly clock: Clock },
): ReceiveEvent {
  const { verify, store, clock } = parts;
  return async (text, context, mayFetchKeys) => {
    const nowMs = clock();
    const verdict = await verify(text, nowMs, context, mayFetchKeys);
    if (verdict.outcome === 'unavailable') return { ...verdict, what: 'keys', facts: nothing };
    if (verdict.outcome === 'refused') {
      const { refusal, transmitter } = verdict;
      return { outcome: 'refused', ...refusal, facts: { ...nothing, issuer: transmitter?.spellings[0] ?? null } };
    }
    const { token } = verdict;
    const types = [...token.events.keys()].map(eventTypeOf);
    const named: EventFacts = {
      issuer: token.transmitter.spellings[0] ?? null,
      names: [...new Set(types.map(({ name }) => name))],
      tokenId: token.tokenId,
      subjects: [],
    };
    const planned = plan(token, settings, Math.floor(nowMs / 1000));
    if (typeof planned === 'string')
      return { outcome: 'refused', error: 'invalid_request', check: planned, facts: named };
    const { changes, subjects } = planned;
    const facts = { ...named, subjects };
    if (changes.length === 0) {
      const effect = types.some((type) => type.effect === 'verify') ? 'verified' : 'ignored';
      return { outcome: 'accepted', effect, facts };
    }
    const key = await rememberedAs(token);
    const applied = await store.apply({ key, changes, reason: named.names.join(' ') });
    if (!applied.done)
      return { outcome: 'unavailable', what: 'revocation', retryAfterSeconds: applied.retryAfterSeconds, facts };
    if (applied.value !== 'applied') return { outcome: 'accepted', effect: applied.value, facts };
    const releases = changes.every(({ action }) => action === 'free');
    return { outcome: 'accepted', effect: releases ? 'released' : 'revoked', facts };
  };
}

async function rememberedAs({ transmitter, tokenId }: SecurityEventToken): Promise<string> {
  return encodeBase64url(await sha256(utf8(`${transmitter.spellings[0] ?? ''}\n${tokenId}`)));
}

const ACTIONS: Readonly<Record<EventEffect, EventChange['action'] | null>> = {
  revoke: 'cut',
  hold: 'hold',
  release: 'free',
  verify: null,
  ignore: null,
};

/** The changes that a token asks for. */
function plan(token: SecurityEventToken, settings: ReceiverSettings, nowSeconds: number): Planned {
  const changes: EventChange[] = [];
  const subjects: EventSubject[] = [];
  const { transmitter, claims } = token;
  for (const [uri, payload] of token.events) {
    const action = ACTIONS[eventTypeOf(uri).effect];
    if (action === null) continue;
    const named = readSubject(member(claims, 'sub_id') ?? member(payload, 'subject'), transmitter.spellings[0] ?? '');
    if (named === null) return 'subject';
    const at = happenedAt(payload, token);
    if (at === null || at > nowSeconds + 1 + settings.clockSkewSeconds) return 'event_timestamp';
    for (const { kind, issuer, id } of named) {
      const known = settings.canonicalIssuer(issuer);
      if (!transmitter.subjectIssuers.has(known)) return 'subject_issuer';
      // A token is no account that could be enabled again.
      if (kind === 'jti' && action === 'free') return 'subject';
      const lifeSeconds = settings.longestLifeSeconds(known);
      const before = Math.ceil(at);
      changes.push({
        action: kind === 'jti' ? 'cut' : action,
        kind,
        id: subjectAt(known, id),
        atSeconds: before,
        beforeSeconds: kind === 'jti' ? null : before,
        expiresAtSeconds: (kind === 'jti' ? nowSeconds : before) + lifeSeconds,
      });
      subjects.push({ kind, issuer: known, id });
    }
  }
  return { changes, subjects };
}

/** When an event happened: as its payload says (CAEP 1.0 §2), else the token (`toe`), else when that was issued. */
function happenedAt(payload: JsonObject, token: SecurityEventToken): number | null {
  const told = member(payload, 'event_timestamp');
  if (told === undefined) return token.happenedAtSeconds ?? token.issuedAtSeconds;
  if (typeof told !== 'number' || told < 0) return null;
  return told >= MILLISECONDS_FROM ? told / 1000 : told;
}
