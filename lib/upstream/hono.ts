import { ASSERTION_FIELD, type Caller, type Refusal } from './verification.ts';
import type { Verifier } from './verifier.ts';

/** What `requireAssertion` leaves in Hono's context. */
export type AssertedVariables = { caller: Caller };

/** The part of Hono's context that is used, so that a service without Hono needs none. */
interface HonoContext {
  readonly req: { readonly url: string; readonly method: string; header(name: string): string | undefined };
  set(key: 'caller', caller: Caller): void;
  json(body: { detail: string }, status: 401 | 503): Response;
}

/**
 * Makes a Hono middleware that lets a request through only with a valid assertion, and leaves the caller in
 * `c.get('caller')`. Answers 401 otherwise, and 503 while the key set cannot be had.
 *
 * @param verify What `createAssertionVerifier` returned.
 * @param report Told why a request was refused: for your log, not for the caller.
 * @returns The middleware.
 * @example
 * app.use('/v1/*', requireAssertion(verify, (why) => console.warn('assertion refused', why)));
 * app.post('/v1/discover', (c) => c.json({ caller: c.get('caller').subject }));
 */
export function requireAssertion(verify: Verifier, report: (why: Refusal | 'keys_unavailable') => void = () => {}) {
  return async (c: HonoContext, next: () => Promise<void>): Promise<Response | undefined> => {
    const { pathname } = new URL(c.req.url);
    const verification = await verify(c.req.header(ASSERTION_FIELD), { method: c.req.method, path: pathname });
    if (verification.outcome === 'verified') {
      c.set('caller', verification.caller);
      await next();
      return undefined;
    }
    const unavailable = verification.outcome === 'unavailable';
    report(unavailable ? 'keys_unavailable' : verification.refusal);
    return unavailable ? c.json({ detail: 'service unavailable' }, 503) : c.json({ detail: 'unauthorized' }, 401);
  };
}
