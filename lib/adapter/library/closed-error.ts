/**
 * The authorizer was closed, so it decides nothing any more.
 *
 * @example
 * if (error instanceof AuthorizerClosedError) return new Response(null, { status: 503 });
 */
export class AuthorizerClosedError extends Error {
  override readonly name = 'AuthorizerClosedError';
  /** What programs tell the error by. */
  readonly code = 'authorizer_closed';

  constructor() {
    super('the authorizer is closed');
  }
}
