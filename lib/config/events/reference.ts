import type { EventIssuerMember } from './event-issuer.ts';
import { eventIssuerMembers } from './rows.ts';

const meanings: Readonly<Record<EventIssuerMember, string>> = {
  issuer: 'The `iss` of its events. Required.',
  audience: 'Values of which `aud` must contain one. Required.',
  keys: 'Where the keys are. Default: discovery (`/.well-known/ssf-configuration`, then as for issuers of tokens), whose `issuer` must be exact.',
  algorithms: 'Signature algorithms. Default: RS256.',
  types:
    'Values of the `typ` header. Default: `secevent+jwt`. With any other, a token that has `exp` is refused, so that no ID token or access token counts.',
  subject_issuers:
    'Issuers whose subjects and tokens it may revoke, in any of their spellings. Default: itself. A subject of another is 400 `invalid_request`.',
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
64 KiB as body. The gateways on Node and Cloudflare and the library serve it. It takes no credentials: the signature is what counts.

| answer | when |
|---|---|
| 202 | applied and recorded; also repeated, or of a type that does nothing here |
| 400 \`{"err", "description"}\` | \`invalid_request\`, \`invalid_issuer\`, \`invalid_audience\`, \`invalid_key\` or \`authentication_failed\` (RFC 8935 §2.4) |
| 429 | tokens that do not verify have used up \`TGEFD_AUTH_FAILURE_LIMIT_PER_MINUTE\` of the address |
| 503 | keys, Redis or the audit outbox are out of reach: the transmitter sends it again |

Lambda authorizers have no endpoint. They need the variable nonetheless where they share Redis with a gateway that receives events: only
then they look for tokens that were revoked by their id.

## What events do

| event | effect |
|---|---|
| CAEP \`session-revoked\`, \`credential-change\`; RISC \`sessions-revoked\` | tokens of the subject that were issued before the event are refused |
| RISC \`account-disabled\`, \`account-purged\` | every token of the subject is refused until \`account-enabled\` |
| RISC \`account-enabled\` | the hold ends; tokens that were issued before the account was disabled stay refused |
| \`verification\` | nothing: recorded as \`verified\` |
| every other | nothing: recorded as \`ignored\` |

When it happened is \`event_timestamp\` of the event, else \`toe\`, else \`iat\`. Of a hold and a release the later event holds, whichever arrives
first. A token (\`jti\`) is applied once within 14 days; a later repetition changes nothing either.

The subject is \`sub_id\` of the token, or \`subject\` of the event: formats \`iss_sub\`, \`opaque\` (a subject of the transmitter) and \`jwt_id\` (one
token). Of \`aliases\` those count that have such a format, of a complex subject its \`user\`: a session is not known here, so all tokens of its
user are revoked. Any other format is 400 \`invalid_request\`.
`;
}
