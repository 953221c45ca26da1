import { boolean, document, integer, oneOf, seconds, url } from '../../kinds.ts';
import { secret, setting } from '../../variable.ts';

/** Chapter “Upstream” of the configuration. */
export const upstream = {
  upstreamUrl: setting({
    name: 'TGEFD_UPSTREAM_URL',
    kind: url,
    fallback: null,
    meaning:
      'Origin that the gateway forwards to. Required, unless forward-auth is on or a Worker has the service binding `UPSTREAM`. This binding may also be an mTLS certificate, which is then presented to this origin.',
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
      'Time from the end of the request body until the upstream begins its answer. The wait for a connection counts.',
  }),
  idleTimeoutSeconds: setting({
    name: 'TGEFD_IDLE_TIMEOUT_SEC',
    kind: seconds(0.05, 3600),
    fallback: 60,
    meaning:
      'A request or an answer ends if no byte moves for this time. 408: the caller stalls. 504: the upstream stalls. If the answer has begun, the connection is cut. On Node the header section of a request must also arrive within this time.',
  }),
  maximumConcurrentRequests: setting({
    name: 'TGEFD_MAX_CONCURRENT_REQUESTS',
    kind: integer(0, 1_000_000, 'requests'),
    fallback: 64,
    meaning:
      'Requests of one identity at the same time, in each process or isolate of the gateway; 0 is off. One more gets 429 `rate_limited`. A request counts until its answer has left (Node), or until its answer begins (Worker).',
  }),
  forwardCredentials: setting({
    name: 'TGEFD_FORWARD_CREDENTIALS',
    kind: boolean,
    fallback: false as boolean,
    meaning: 'Whether `Authorization` and `x-api-key` are forwarded to the upstream.',
  }),
  forwardClaims: setting({
    name: 'TGEFD_FORWARD_CLAIMS',
    member: 'forward_claims',
    kind: document('a JSON object: claim path → field name that begins with `x-auth-request-`'),
    fallback: null,
    meaning:
      'Claims of the caller’s token that go upstream: each in a field, in the assertion as `claims`, and in the context of API Gateway. A caller’s field of that name is removed. An absent claim is an empty field.',
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
      'Form of the assertion: the product’s own, or a Transaction Token (draft-ietf-oauth-transaction-tokens) with method and path in `tctx`. Both use the same field.',
  }),
  assertionKey: secret({
    name: 'TGEFD_ASSERTION_KEY',
    kind: document('a private JWK for EdDSA (Ed25519) or ES256'),
    meaning: 'Key that signs the identity assertion for the upstream (`x-tgefd-assertion`).',
  }),
} as const;
