import type { MiddlewareHandler } from 'hono';
import { ASSERTION_FIELD, type Caller, type Refusal, type Verifier } from './assertion.ts';

export type AssertedVariables = { caller: Caller };

/**
 * Hono middleware: lets a request through only with a valid assertion, and leaves the caller in `c.get('caller')`. Answers 401
 * otherwise and 503 while the key set cannot be had; `report` learns why.
 */
export function requireAssertion(
  verify: Verifier,
  report: (why: Refusal | 'keys_unavailable') => void = () => {},
): MiddlewareHandler<{ Variables: AssertedVariables }> {
  return async (c, next) => {
    const { pathname } = new URL(c.req.url);
    const verification = await verify(c.req.header(ASSERTION_FIELD), { method: c.req.method, path: pathname });
    if (verification.outcome === 'verified') {
      c.set('caller', verification.caller);
      return next();
    }
    const unavailable = verification.outcome === 'unavailable';
    report(unavailable ? 'keys_unavailable' : verification.refusal);
    return unavailable ? c.json({ detail: 'service unavailable' }, 503) : c.json({ detail: 'unauthorized' }, 401);
  };
}
