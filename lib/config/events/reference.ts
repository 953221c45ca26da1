import type { EventIssuerMember } from './event-issuer.ts';
import { eventIssuerMembers } from './rows.ts';

const meanings: Readonly<Record<EventIssuerMember, string>> = {
  issuer: 'The `iss` of its events. Required.',
  audience: 'Accepted audiences; `aud` must contain one of them. Required.',
  keys: 'The keys, or where they are. Default: discovery (`/.well-known/ssf-configuration`, then as for issuers of tokens). The `issuer` of the metadata must be exact.',
  algorithms: 'Signature algorithms. Default: RS256.',
  types:
    'Accepted values of the `typ` header. Default: `secevent+jwt`. With another type, a token that has `exp` is refused, so an ID token or access token never counts.',
  subject_issuers:
    'Issuers whose subjects and tokens it may revoke, in any of their spellings. Default: itself. A subject of another issuer is 400 `invalid_request`.',
};

function cell(text: string): string {
  return text.replaceAll('|', '\\|');
}

/** `docs/reference/event-issuers.md`: the members of a row of `TGEFD_EVENT_ISSUERS`, and what events do. */
export function eventIssuersPage(): string {
  const rows = Object.entries(eventIssuerMembers).map(
    ([name, { accepts }]) => `| \`${name}\` | ${cell(accepts)} | ${cell(meanings[name as EventIssuerMember])} |`,
  );
  return `# Event issuers

Generated from \`lib/config/events\` by \`npm run docs\`; CI fails when it is stale.

\`TGEFD_EVENT_ISSUERS\` (or \`TGEFD_EVENT_ISSUERS_FILE\`, or the member \`event_issuers\` of the policy document) is a JSON array with one object
for each transmitter of security events. The guide is [Shared signals](../guides/shared-signals.md).

| member | accepts | meaning |
|---|---|---|
${rows.join('\n')}

## The endpoint

\`POST /_authorizer/events\` with \`Content-Type: application/secevent+jwt\` and one security event token (RFC 8417, RFC 8935) of at most
64 KiB as body. The gateways on Node and Cloudflare and the library serve it. It needs no credentials: the signature authenticates the transmitter.

| answer | when |
|---|---|
| 202 | the event is applied and recorded; also for a repeated event, and for a type without effect |
| 400 \`{"err", "description"}\` | \`invalid_request\`, \`invalid_issuer\`, \`invalid_audience\`, \`invalid_key\` or \`authentication_failed\` (RFC 8935 §2.4) |
| 429 | too many tokens of this address did not verify (\`TGEFD_AUTH_FAILURE_LIMIT_PER_MINUTE\`) |
| 503 | keys, Redis or the audit outbox are unavailable; the transmitter sends the event again |

Lambda authorizers have no endpoint. If they share Redis with a gateway that receives events, they need the variable too. Without it they
do not look for tokens that an event revoked by their id.

## What events do

| event | effect |
|---|---|
| CAEP \`session-revoked\`, \`credential-change\`; RISC \`sessions-revoked\` | tokens of the subject that were issued before the event are refused |
| RISC \`account-disabled\`, \`account-purged\` | every token of the subject is refused until \`account-enabled\` |
| RISC \`account-enabled\` | the hold ends; tokens that were issued before the account was disabled stay refused |
| \`verification\` | no effect; recorded as \`verified\` |
| every other event | no effect; recorded as \`ignored\` |

The time of an event is its \`event_timestamp\`, else \`toe\`, else \`iat\`. If a hold and a release arrive in the wrong order, the event with the
later time wins. A token (\`jti\`) is applied once within 14 days. A repetition after that changes nothing either.

The subject is \`sub_id\` of the token, or \`subject\` of the event:

| format | what counts |
|---|---|
| \`iss_sub\`, \`opaque\` | the subject; \`opaque\` is a subject of the transmitter |
| \`jwt_id\` | one token |
| \`aliases\` | the entries in one of these formats |
| complex subject | its \`user\`. Sessions are not known here, so all tokens of the user are revoked |
| any other | 400 \`invalid_request\` |
`;
}
