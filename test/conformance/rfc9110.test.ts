/**
 * RFC 9110 (HTTP semantics), as it binds an intermediary and whoever authenticates.
 *
 * | requirement | test |
 * |---|---|
 * | §5.3 a field that is no list must not be repeated | "§5.3": credentials, host, forwarded fields; test/unit/request/boundary |
 * | §5.5 field values: no CR, LF, NUL | "§5.5" |
 * | §7.2 Host | test/unit/request/forwarded |
 * | §7.6.1 Connection and what it names end at this hop | "§7.6.1" |
 * | §7.6.2 Max-Forwards | not applicable: TRACE is never forwarded, OPTIONS is answered or decided like any other |
 * | §7.6.3 Via | not sent: the authorizer is a gateway for one origin and hides its hops |
 * | §8.6 Content-Length | test/doors/forwarding (two lengths, length and chunks) |
 * | §9.1 methods are case-sensitive, §9.3.2 HEAD as GET | "§9" |
 * | §10.1.1 Expect | ends at this hop: "§7.6.1" |
 * | §11.1 scheme names in any letter case | test/conformance/rfc6750 |
 * | §11.6.1 WWW-Authenticate on every 401 | "§11.6.1" |
 * | §11.6.2 Authorization is for this hop unless it is told to forward | "§11.6.2" |
 * | §11.7 Proxy-Authenticate | not applicable: a gateway, not a proxy |
 * | §15.5.6 Allow on every 405 | "§15.5.6" |
 * | §10.2.3 Retry-After in seconds on 429 and 503 | "§10.2.3" |
 * | §17.13 nothing about the server beyond need | test/doors/gateway: no stack, no version |
 */
import { describe, expect, it } from 'vitest';
import type { AuthMethod } from '../../lib/decision/principal.ts';
import type { Reason } from '../../lib/decision/reason.ts';
import { tgefdEndpoints } from '../../lib/presets/tgefd.ts';
import { createEndpointTable, ownEndpoints } from '../../lib/request/endpoints/table.ts';
import { createFieldRules, upstreamFields } from '../../lib/request/strip.ts';
import { denialAnswer } from '../../lib/respond/denial.ts';
import { fieldValue } from '../../lib/respond/field-value.ts';

function rules(forwardCredentials: boolean) {
  return createFieldRules({
    identityHeaders: [],
    credentialHeaders: ['authorization', 'x-api-key'],
    forwardCredentials,
  });
}
function forwarded(fields: Record<string, string>, forwardCredentials = false) {
  return upstreamFields(new Headers(fields), rules(forwardCredentials)).map(([name]) => name);
}
function fieldsOf(reason: Reason, authMethod: AuthMethod = 'jwt') {
  return Object.fromEntries(denialAnswer(reason, { requestId: 'r', authMethod }).headers);
}

describe('RFC 9110', () => {
  it.each([
    'connection',
    'keep-alive',
    'te',
    'trailer',
    'transfer-encoding',
    'upgrade',
    'proxy-authorization',
    'proxy-connection',
    'expect',
  ])('§7.6.1: %s ends at this hop', (name) => {
    expect(forwarded({ [name]: 'x', 'x-kept': '1' })).toEqual(['x-kept']);
  });

  it('§7.6.1: so does whatever Connection names, in any letter case', () => {
    expect(forwarded({ connection: 'close, X-Private', 'x-private': '1', 'x-kept': '1' })).toEqual(['x-kept']);
  });

  it('§5.5: an identity cannot end a field', () => {
    for (const name of ['a\r\nx: y', 'a\nb', 'a\0b', 'a\u2028b']) expect(fieldValue(name)).toMatch(/^[\x20-\x7e]+$/);
  });

  it('§9: methods are case-sensitive, and HEAD is answered wherever GET is', () => {
    const scopes = { discover: 'd', evaluate: 'e', jobs: 'j', metrics: 'm', revoke: 'r' };
    const table = createEndpointTable([...tgefdEndpoints(scopes), ...ownEndpoints(scopes, false)]);
    expect(table.route('GET', '/metrics').found).toBe('endpoint');
    expect(table.route('HEAD', '/metrics').found).toBe('endpoint');
    expect(table.route('get', '/metrics')).toMatchObject({ found: 'other_methods', allow: ['GET', 'HEAD'] });
  });

  it.each<AuthMethod>(['jwt', 'api_key', 'mtls', 'none'])('§11.6.1: a 401 of mode %s carries a challenge', (mode) => {
    for (const reason of [{ reason: 'credentials_missing' }, { reason: 'token_signature_invalid' }] as const)
      expect(fieldsOf(reason, mode)['www-authenticate']).toMatch(/^[A-Za-z]+ realm="tgefd"/);
  });

  it('§11.6.2: credentials stay here unless they are to be forwarded', () => {
    const credentials = { authorization: 'Bearer x', 'x-api-key': 'k' };
    expect(forwarded(credentials)).toEqual([]);
    expect(forwarded(credentials, true)).toEqual(['authorization', 'x-api-key']);
  });

  it('§15.5.6: a 405 lists what is allowed', () => {
    expect(fieldsOf({ reason: 'method_unknown', allow: ['GET', 'HEAD'] }).allow).toBe('GET, HEAD');
  });

  it('§10.2.3: Retry-After is whole seconds on 429 and on every 503', () => {
    const late: readonly Reason[] = [
      { reason: 'budget_exhausted', budget: 'general', retryAfterSeconds: 1.2 },
      { reason: 'keys_unavailable', retryAfterSeconds: 3 },
      { reason: 'configuration_invalid' },
      { reason: 'internal_error' },
    ];
    for (const reason of late) expect(fieldsOf(reason)['retry-after']).toMatch(/^[1-9]\d*$/);
  });
});
