import type { Config } from '../../config/load.ts';
import type { Decision } from '../../decision/outcome.ts';
import type { Enforce } from '../../decision/pipeline.ts';
import type { Explain } from '../../decision/ports.ts';
import type { AccessRequest, Endpoint } from '../../decision/request.ts';
import { givenRequest } from '../given-body.ts';
import { type DenialFacts, denialFacts } from './denial-facts.ts';

/** One step of a decision, as it was told. */
export interface ToldStep {
  readonly step: string;
  readonly finding: string;
  readonly facts: Readonly<Record<string, string | number | boolean | null>>;
}

/** A decision with everything that led to it. */
export interface Explanation {
  readonly decision: Decision;
  readonly steps: readonly ToldStep[];
  /** Null where the request is allowed. */
  readonly denial: DenialFacts | null;
}

/** Facts that a denial tells by themselves. */
export const factNames: ReadonlySet<string> = new Set(['found', 'wanted', 'set_by']);

/** Text of a caller with nothing in it that moves the cursor or begins a line. */
export function printable(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, (character) =>
    JSON.stringify(character)
      .slice(1, -1)
      .replace(/[^\x20-\x7e]/g, '?'),
  );
}

/** Decides about one request with the real code, and remembers every step. */
export async function explained(enforce: Enforce, config: Config, request: AccessRequest): Promise<Explanation> {
  const steps: ToldStep[] = [];
  const waiting: Promise<unknown>[] = [];
  const told: Explain = (step, finding, facts = {}) => void steps.push({ step, finding, facts });
  const context = { defer: (promise: Promise<unknown>) => void waiting.push(promise), explain: told };
  const { decision } = await enforce(request, context);
  await Promise.allSettled(waiting);
  if (decision.denial === null) return { decision, steps, denial: null };
  const known = steps.map(({ facts }) => facts).findLast(({ found, wanted }) => found != null || wanted != null) ?? {};
  const lastKnown = Object.fromEntries(
    Object.entries(known).flatMap(([name, value]) =>
      factNames.has(name) && value !== null ? [[name, String(value)]] : [],
    ),
  );
  return { decision, steps, denial: denialFacts(decision.denial, lastKnown, decision, config) };
}

/** The request that the arguments describe, with the credential where the configuration looks for it. */
export function requestWith(
  { settings, authMode }: Config,
  { method, target, credential, fields, peer, plain, body }: RequestParts,
): AccessRequest {
  const named = fields.some((name, at) => at % 2 === 0 && name.toLowerCase() === 'host');
  const all: string[] = [...(named ? [] : ['host', 'explain.invalid']), ...fields];
  if (credential !== undefined) {
    if (authMode === 'api_key') all.push('x-api-key', credential);
    else all.push(settings.jwtHeader, `${settings.jwtBearerPrefix}${credential}`);
  }
  const hop = { peerAddress: peer ?? null, secure: plain ? false : null, certificate: null };
  return givenRequest({ door: 'gateway', method, target, hop }, all, body);
}

export interface RequestParts {
  readonly method: string;
  readonly target: string;
  readonly credential: string | undefined;
  readonly fields: readonly string[];
  readonly peer?: string | undefined;
  readonly plain?: boolean;
  /** The body, where one is given; otherwise nobody sees it. */
  readonly body?: string | undefined;
}

/** What a row demands, in words. */
export function demandOf({ scope }: Endpoint): string {
  if (scope === null) return 'no scope: any authenticated caller';
  if (typeof scope === 'string') return `the scope ${scope}`;
  return 'any' in scope ? `any scope of ${scope.any.join(', ')}` : `all scopes of ${scope.all.join(', ')}`;
}
