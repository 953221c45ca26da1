import { generatedFrom, markdownTable } from './table.ts';

/** What the authorizer answers itself: method, path, who may, when it is there, and what it answers. */
export const ownEndpoints: readonly (readonly [string, string, string, string, string])[] = [
  ['GET', '/healthz', 'anybody', 'always', '200 `ok` while the process runs'],
  ['GET', '/readyz', 'anybody', 'always', '200 if the process can decide a request now, else 503'],
  [
    'GET',
    '/.well-known/oauth-protected-resource',
    'anybody',
    '`TGEFD_RESOURCE`',
    'metadata of the protected resource (RFC 9728); also with the path of the resource appended',
  ],
  [
    'GET',
    '/_authorizer/jwks.json',
    'anybody',
    'always',
    'public keys of identity assertions (RFC 7517); an empty set without `TGEFD_ASSERTION_KEY`',
  ],
  [
    'GET',
    '/_authorizer/.well-known/openid-configuration',
    'anybody',
    '`TGEFD_ISSUER_URL`',
    'discovery of the authorizer as issuer of its own tokens',
  ],
  [
    'GET',
    '/_authorizer/metrics',
    'scope `TGEFD_SCOPE_METRICS`',
    '`TGEFD_METRICS_ENABLED`',
    '[metrics](metrics.md) in the text format of Prometheus',
  ],
  [
    'GET',
    '/_authorizer/revocations',
    'scope `TGEFD_SCOPE_REVOKE`',
    'if revocations have a store',
    'a page of the revocations; `cursor` asks for the next one',
  ],
  [
    'POST',
    '/_authorizer/revocations',
    'scope `TGEFD_SCOPE_REVOKE`',
    'if revocations have a store',
    '201 with the entry as it is stored',
  ],
  [
    'GET',
    '/_authorizer/revocations/{kind}/{id}',
    'scope `TGEFD_SCOPE_REVOKE`',
    'if revocations have a store',
    'the entry, or 404',
  ],
  [
    'DELETE',
    '/_authorizer/revocations/{kind}/{id}',
    'scope `TGEFD_SCOPE_REVOKE`',
    'if revocations have a store',
    '200 with the deleted entry, or 404',
  ],
  [
    'POST',
    '/_authorizer/events',
    'a transmitter of `TGEFD_EVENT_ISSUERS`',
    '`TGEFD_EVENT_ISSUERS`',
    '202, or 400 with the error of RFC 8935 ([security events](../guides/shared-signals.md))',
  ],
  [
    'any',
    '/_authorizer/check',
    'a trusted proxy asks',
    'if `TGEFD_FORWARD_AUTH` is nginx, traefik or caddy',
    '200 with identity fields, or the denial',
  ],
  [
    'any',
    '/_authorizer/ext-authz/…',
    'a trusted proxy asks',
    '`TGEFD_FORWARD_AUTH=envoy`',
    'the same for the HTTP `ext_authz` filter of Envoy',
  ],
];

/** `docs/reference/own-endpoints.md`: what the authorizer answers itself. */
export function ownEndpointsPage(): string {
  return `${[
    '# Endpoints of the authorizer',
    '',
    generatedFrom('lib/cli/pages/own-endpoints.ts'),
    '',
    'The authorizer itself answers these paths; they never reach the upstream. Every other path below `/_authorizer/` is 404.',
    '',
    ...markdownTable(
      ['method', 'path', 'who may', 'exists', 'answer'],
      ownEndpoints.map(([method, path, ...rest]) => [method, `\`${path}\``, ...rest]),
    ),
    '',
    '## A revocation',
    '',
    '`POST` takes a JSON object of at most 4 KiB:',
    '',
    ...markdownTable(
      ['member', 'value'],
      [
        ['`kind`', '`jti`, `sub`, `kid`, `thumbprint` or `key_id`'],
        [
          '`id`',
          'the revoked credential: a token id, a subject, a key id, a SHA-256 thumbprint, or the id of an API key',
        ],
        [
          '`issuer`',
          'only for a subject: a configured issuer, in any of its spellings; without it, every issuer (optional)',
        ],
        ['`before`', 'only for a subject: tokens issued before this time (epoch seconds) are refused (optional)'],
        ['`expires_at`', 'when the entry ends, epoch seconds (optional)'],
        ['`reason`', 'a note for people (optional)'],
      ],
    ),
  ].join('\n')}\n`;
}
