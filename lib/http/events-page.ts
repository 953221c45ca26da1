import type { EventRecord } from '../audit/schema.ts';
import { readBounded } from '../codec/bounded-body.ts';
import type { Decision } from '../decision/outcome.ts';
import type { Clock, NewId, RequestContext } from '../decision/ports.ts';
import type { AuthMethod } from '../decision/principal.ts';
import type { Reason } from '../decision/reason.ts';
import type { AccessRequest, Boundary, Endpoint } from '../decision/request.ts';
import type { EventFacts, Received, ReceiveEvent } from '../events/receiver.ts';
import type { Failures } from '../limit/failed-authentications.ts';
import type { Examine } from '../request/boundary.ts';
import { denialAnswer } from '../respond/denial.ts';
import { webResponse } from './web-response.ts';

/** Where transmitters push security events (RFC 8935). */
export const EVENTS_PATH = '/_authorizer/events';

const LONGEST_EVENT_BYTES = 65_536;
const BODY_TIMEOUT_MS = 10_000;
const MEDIA_TYPE = 'application/secevent+jwt';

type Fields = readonly (readonly [string, string])[];

export interface EventsPageParts {
  readonly examine: Examine;
  readonly receive: ReceiveEvent;
  readonly failures: Failures;
  readonly requireTls: boolean;
  readonly authMode: AuthMethod;
  /** Takes the record of an event; answers as the recorder does. */
  record(decision: Decision, facts: EventFacts, effect: EventRecord['effect'], context: RequestContext): Promise<Kept>;
  count(facts: EventFacts, effect: EventRecord['effect']): void;
  transportFields(secure: boolean | null): Fields;
  readonly clock: Clock;
  readonly stopwatch: Clock;
  readonly newId: NewId;
}

type Kept = 'recorded' | 'unavailable' | null;

/** Answers one push of a security event. */
export type EventsPage = (access: AccessRequest, request: Request, context: RequestContext) => Promise<Response>;

const endpoint: Endpoint = {
  action: 'events',
  method: 'POST',
  pattern: EVENTS_PATH,
  scope: null,
  budget: 'none',
  own: true,
};

const nothing: EventFacts = { issuer: null, names: [], tokenId: null, subjects: [] };

/** What the caller and the record are told. */
interface Verdict {
  readonly effect: EventRecord['effect'];
  readonly denial: Reason | null;
  readonly facts: EventFacts;
}

/**
 * Makes the page that security events are pushed to: 202 once an event has been applied and recorded, 400 with an error of
 * RFC 8935 §2.4 for one that does not count, 503 while keys, revocations or records are out of reach, so that the
 * transmitter sends it again. What fails to verify spends from the address's budget of failed authentications.
 */
export function createEventsPage(parts: EventsPageParts): EventsPage {
  const { failures, clock } = parts;

  const judge = async (
    access: AccessRequest,
    request: Request,
    boundary: Boundary,
    denial: Reason | null,
    context: RequestContext,
  ): Promise<Verdict> => {
    const refuse = (reason: Reason): Verdict => ({ effect: 'refused', denial: reason, facts: nothing });
    if (access.refused !== undefined) return refuse(access.refused);
    if (denial !== null) return refuse(denial);
    if (parts.requireTls && boundary.secure === false) return refuse({ reason: 'transport_insecure' });
    const { addressPartition: address } = boundary;
    const throttledSeconds = address === null ? null : failures.exhausted(address, parts.stopwatch());
    const text = await eventText(request);
    const received: Received =
      typeof text === 'string'
        ? await parts.receive(text, context, throttledSeconds === null)
        : { outcome: 'refused', error: 'invalid_request', check: text.check, facts: nothing };
    if (received.outcome === 'accepted') return { effect: received.effect, denial: null, facts: received.facts };
    const { facts } = received;
    if (received.outcome === 'unavailable') return { effect: 'unavailable', denial: outageOf(received), facts };
    if (throttledSeconds !== null)
      return refuse({ reason: 'authentication_throttled', retryAfterSeconds: throttledSeconds });
    if (address !== null) failures.spend(address, parts.stopwatch(), context);
    const { error, check } = received;
    return { effect: 'refused', denial: { reason: 'event_refused', error, check }, facts };
  };

  return async (access, request, context) => {
    const atMs = clock();
    const startedMs = parts.stopwatch();
    const id = parts.newId();
    const { boundary, denial: boundaryDenial } = await parts.examine(access, atMs);
    const { effect, denial, facts } = await judge(access, request, boundary, boundaryDenial, context);
    const latencyMs = parts.stopwatch() - startedMs;
    context.explain?.('event', effect, { effect, ...refusedFor(denial) });
    const decision = decisionOf({ id, atMs, latencyMs, boundary, authMethod: parts.authMode, denial });
    const kept = await parts.record(decision, facts, effect, context);
    parts.count(facts, effect);
    const fields: Fields = [['x-request-id', boundary.requestId], ...parts.transportFields(boundary.secure)];
    const told: Reason | null = kept === 'unavailable' ? { reason: 'audit_unavailable', retryAfterSeconds: 5 } : denial;
    if (told === null) return webResponse(202, [['cache-control', 'no-store'], ...fields], null);
    if (told.reason === 'event_refused') return refusal(told, fields);
    const answer = denialAnswer(
      told,
      { requestId: boundary.requestId, authMethod: 'none' },
      parts.transportFields(boundary.secure),
    );
    return webResponse(answer.status, answer.headers, answer.body);
  };
}

/** The token that was pushed, or why the message holds none (RFC 8935 §2.1). */
async function eventText(request: Request): Promise<string | { readonly check: string }> {
  const type = request.headers.get('content-type')?.split(';')[0]?.trim().toLowerCase();
  if (type !== MEDIA_TYPE) return { check: 'content_type' };
  const deadline = new AbortController();
  const timer = setTimeout(() => deadline.abort(), BODY_TIMEOUT_MS);
  try {
    const bytes = await readBounded(request.body, LONGEST_EVENT_BYTES, deadline.signal);
    if (bytes === null) return { check: 'size' };
    return deadline.signal.aborted ? { check: 'body' } : new TextDecoder().decode(bytes).trim();
  } catch {
    return { check: 'body' };
  } finally {
    clearTimeout(timer);
  }
}

function outageOf({ what, retryAfterSeconds }: Extract<Received, { outcome: 'unavailable' }>): Reason {
  return what === 'keys'
    ? { reason: 'keys_unavailable', retryAfterSeconds }
    : { reason: 'revocation_unavailable', retryAfterSeconds: retryAfterSeconds ?? 1 };
}

const DESCRIPTIONS: Readonly<Record<string, string>> = {
  invalid_request:
    'The request holds no security event that could be understood, or one whose subject does not count here.',
  invalid_key: 'The key or algorithm of the signature is not accepted.',
  invalid_issuer: 'The issuer is none of the configured transmitters.',
  invalid_audience: 'The audience is not this recipient.',
  authentication_failed: 'The signature was not made by the transmitter.',
};

/** RFC 8935 §2.3: the error as JSON, and the language of its description. Which claim failed is in the record alone. */
function refusal({ error }: Extract<Reason, { reason: 'event_refused' }>, fields: Fields): Response {
  return webResponse(
    400,
    [['content-type', 'application/json'], ['content-language', 'en'], ['cache-control', 'no-store'], ...fields],
    JSON.stringify({ err: error, description: DESCRIPTIONS[error] ?? error }),
  );
}

/** What an operator is told of a refusal. */
function refusedFor(denial: Reason | null): Readonly<Record<string, string>> {
  return denial?.reason === 'event_refused' ? { error: denial.error, check: denial.check } : {};
}

type Facts = Pick<Decision, 'id' | 'atMs' | 'latencyMs' | 'boundary' | 'authMethod' | 'denial'>;

function decisionOf(facts: Facts): Decision {
  return {
    ...facts,
    ...{ door: 'gateway', method: 'POST', path: EVENTS_PATH, query: '', endpoint, pattern: EVENTS_PATH },
    ...{ principal: null, wouldDeny: null, shadow: null, budgets: [], degraded: [] },
  };
}
