/**
 * `tgefd-authorizer/upstream`: for the service behind the authorizer. It verifies the signed identity assertion that comes
 * with each request, so that nobody can reach the service past the authorizer and name a caller.
 *
 * @module
 */

export { requireAssertionOnExpress } from './upstream/express.ts';
export { type AssertedVariables, requireAssertion } from './upstream/hono.ts';
export { createMemoryReplayCache } from './upstream/replay-cache.ts';
export {
  ASSERTION_FIELD,
  type Caller,
  type ReceivedRequest,
  type Refusal,
  type ReplayCache,
  type Verification,
} from './upstream/verification.ts';
export { createAssertionVerifier, type Verifier, type VerifierSettings, verifyAssertion } from './upstream/verifier.ts';
