/** The authorizer was closed, so it decides nothing any more. */
export class AuthorizerClosedError extends Error {
  override readonly name = 'AuthorizerClosedError';
  /** What programs tell the error by. */
  readonly code = 'authorizer_closed';

  constructor() {
    super('the authorizer is closed');
  }
}
