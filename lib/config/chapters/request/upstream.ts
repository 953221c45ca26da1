import { boolean, document, integer, oneOf, seconds, url } from '../../kinds.ts';
import { secret, setting } from '../../variable.ts';

/** Chapter “Upstream” of the configuration. */
export const upstream = {
  upstreamUrl: setting({
    name: 'TGEFD_UPSTREAM_URL',
    kind: url,
    fallback: null,
    meaning:
      'Origin that the gateway forwards to. Required unless a forward-auth door is on or a Worker has the service binding `UPSTREAM`; that may be an mTLS certificate too, which is then shown to this origin.',
  }),
  upstreamAllowHttp: setting({
    name: 'TGEFD_UPSTREAM_ALLOW_HTTP',
    kind: boolean,
    fallback: false as boolean,
    meaning: 'Allows an `http:` upstream that is not on a loopback host.',
  }),
  upstreamTimeoutSeconds: setting({
    name: 'TGEFD_UPSTREAM_TIMEOUT_SEC',
    kind: seconds(0.05, 3600),
    fallback: 60,
    meaning:
      'How long the upstream may take to begin its answer, from when the body has been sent. The wait for a connection counts.',
  }),
  idleTimeoutSeconds: setting({
    name: 'TGEFD_IDLE_TIMEOUT_SEC',
    kind: seconds(0.05, 3600),
    fallback: 60,
    meaning:
      'A request or an answer of which no byte moves for so long is ended: 408 where the caller stalls, 504 where the upstream does, a cut connection where the answer has begun. On Node the header section of a request must arrive within this time too.',
  }),
  maximumConcurrentRequests: setting({
    name: 'TGEFD_MAX_CONCURRENT_REQUESTS',
    kind: integer(0, 1_000_000, 'requests'),
    fallback: 64,
    meaning:
      'Requests of one identity that the gateway has under way at once, for each process or isolate; 0 is off. One more is 429 `rate_limited`. On Node a request is under way until its answer has left, on a Worker until its answer begins.',
  }),
  forwardCredentials: setting({
    name: 'TGEFD_FORWARD_CREDENTIALS',
    kind: boolean,
    fallback: false as boolean,
    meaning: 'Whether `Authorization` and `x-api-key` go on to the upstream.',
  }),
  forwardClaims: setting({
    name: 'TGEFD_FORWARD_CLAIMS',
    member: 'forward_claims',
    kind: document('a JSON object: claim path → field name that begins with `x-auth-request-`'),
    fallback: null,
    meaning:
      'Claims of the caller’s token that go upstream in a field each, in the assertion as `claims`, and in the context of API Gateway. A field of that name from a caller is removed. Absent claims are empty fields.',
  }),
  maximumBodyBytes: setting({
    name: 'TGEFD_MAX_BODY_BYTES',
    kind: integer(0, 1_099_511_627_776 - 1, 'bytes'),
    fallback: 0,
    meaning: 'Longest request body, declared or streamed; 0 is off.',
  }),
  assertionProfile: setting({
    name: 'TGEFD_ASSERTION_PROFILE',
    kind: oneOf('tgefd', 'txn-token'),
    fallback: 'tgefd',
    meaning:
      'Form of the assertion: our own, or a Transaction Token (draft-ietf-oauth-transaction-tokens) with method and path in `tctx`. The field is the same.',
  }),
  assertionKey: secret({
    name: 'TGEFD_ASSERTION_KEY',
    kind: document('a private JWK for EdDSA (Ed25519) or ES256'),
    meaning: 'Key that signs the identity assertion for the upstream (`x-tgefd-assertion`).',
  }),
} as const;
