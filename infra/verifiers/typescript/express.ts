import { ASSERTION_FIELD, type Refusal, type Verifier } from './assertion.ts';

/** The part of Express (4 and 5) that is used; its own types fit. */
interface ExpressRequest {
  readonly method: string;
  readonly originalUrl: string;
  get(name: string): string | undefined;
}
interface ExpressResponse {
  readonly locals: Record<string, unknown>;
  status(code: number): { json(body: object): unknown };
}

/**
 * Express middleware: lets a request through only with a valid assertion, and leaves the caller in `res.locals.caller`. Answers 401
 * otherwise and 503 while the key set cannot be had; `report` learns why.
 */
export function requireAssertion(verify: Verifier, report: (why: Refusal | 'keys_unavailable') => void = () => {}) {
  return async (request: ExpressRequest, response: ExpressResponse, next: (error?: unknown) => void): Promise<void> => {
    // The path as received: `request.path` would be relative to where the router is mounted.
    const [path = ''] = request.originalUrl.split('?', 1);
    const verification = await verify(request.get(ASSERTION_FIELD), { method: request.method, path });
    if (verification.outcome === 'verified') {
      response.locals.caller = verification.caller;
      next();
      return;
    }
    const unavailable = verification.outcome === 'unavailable';
    report(unavailable ? 'keys_unavailable' : verification.refusal);
    response.status(unavailable ? 503 : 401).json({ detail: unavailable ? 'service unavailable' : 'unauthorized' });
  };
}
