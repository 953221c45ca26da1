import { ASSERTION_FIELD, type Refusal } from './verification.ts';
import type { Verifier } from './verifier.ts';

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
 * Makes an Express middleware that lets a request through only with a valid assertion, and leaves the caller in
 * `res.locals.caller`. Answers 401 otherwise, and 503 while the key set cannot be had.
 *
 * @param verify What `createAssertionVerifier` returned.
 * @param report Told why a request was refused: for your log, not for the caller.
 * @returns The middleware.
 * @example
 * app.use('/v1', requireAssertionOnExpress(verify));
 * app.post('/v1/discover', (_request, response) => response.json({ caller: response.locals.caller.subject }));
 */
export function requireAssertionOnExpress(
  verify: Verifier,
  report: (why: Refusal | 'keys_unavailable') => void = () => {},
) {
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
