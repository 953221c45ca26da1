import { describe, expect, test } from 'vitest';
import type { AdmissionAnswer, Decision } from '../../../lib/decision/outcome.ts';
import { createEnforce } from '../../../lib/decision/pipeline.ts';
import type { Authentication, Principal } from '../../../lib/decision/principal.ts';
import type { Reason } from '../../../lib/decision/reason.ts';
import type { AccessRequest, Boundary, Endpoint, Route } from '../../../lib/decision/request.ts';
import type { EnforceSettings, Steps } from '../../../lib/decision/steps.ts';

const boundary: Boundary = {
  trustedHop: false,
  believed: new Headers(),
  clientAddress: '192.0.2.1',
  addressPartition: '192.0.2.1',
  secure: true,
  host: 'api.example',
  requestId: 'r-1',
  traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00',
  parentSpanId: null,
  ingressIdentity: null,
};
const alice: Principal = {
  method: 'jwt',
  subject: 'alice',
  identity: 'alice',
  claims: null,
  issuer: 'https://issuer.example',
  scopes: ['discover'],
  roles: [],
  keyId: 'k-1',
  tokenId: 't-1',
  issuedAtSeconds: 1_999_999_000,
  expiresAtSeconds: 2_000_000_000,
  thumbprint: null,
};
const discover: Endpoint = {
  action: 'discover',
  method: 'POST',
  pattern: '/v1/discover',
  scope: 'discover',
  budget: 'heavy',
  own: false,
};
const revocations: Endpoint = {
  ...discover,
  action: 'revocations',
  pattern: '/_authorizer/revocations',
  scope: 'revoke',
  own: true,
};
const general = { name: 'general', perMinute: 60, burst: 60, onError: 'local' as const };

const admitted: AdmissionAnswer = { outcome: 'admitted', budgets: [], degraded: [] };
const authenticated: Authentication = { outcome: 'authenticated', principal: alice, degraded: [] };

interface House {
  readonly settings?: Partial<EnforceSettings>;
  readonly rooms?: Partial<Steps>;
  readonly request?: Partial<AccessRequest>;
}

/** Runs one decision through rooms that say yes, but for those given; tells which rooms were entered. */
async function enforce({ settings, rooms, request }: House = {}) {
  const entered: string[] = [];
  const recorded: Decision[] = [];
  const spent: string[] = [];
  const enter =
    <A extends unknown[], R>(name: string, room: (...args: A) => R) =>
    (...args: A) => {
      entered.push(name);
      return room(...args);
    };
  const built: Steps = {
    examine: () => ({ boundary, denial: null }),
    canonicalTarget: (target) => ({ ok: true, path: target, query: '' }),
    route: (): Route => ({ found: 'endpoint', endpoint: discover }),
    authenticate: () => authenticated,
    authorize: () => null,
    budgetsFor: () => [general],
    failures: { exhausted: () => null, spend: (address) => void spent.push(address) },
    pseudonym: (kind, value) => `${kind}:${value}`,
    underWay: null,
    admission: { admit: () => admitted },
    record: () => null,
    ...rooms,
  };
  const run = createEnforce(
    { authMode: 'jwt', requireTls: false, maximumBodyBytes: 0, forwards: true, ...settings },
    {
      ...built,
      authenticate: enter('authenticate', built.authenticate),
      authorize: enter('authorize', built.authorize),
      admission: { admit: enter('admit', built.admission.admit) },
      record: (decision, context) => {
        recorded.push(decision);
        return built.record(decision, context);
      },
    },
    { clock: () => 2_000_000_000_000, newId: () => 'd-1', log: () => {} },
  );
  const access: AccessRequest = {
    door: 'gateway',
    method: 'POST',
    target: '/v1/discover',
    headers: new Headers(),
    hop: { peerAddress: '192.0.2.1', secure: true, certificate: null },
    ...request,
  };
  const result = await run(access, { defer: () => {} });
  return { ...result, entered, recordings: recorded, spent };
}

function reasonOf({ decision }: { decision: Decision }) {
  return decision.denial?.reason ?? 'allowed';
}

describe('the order of the steps', () => {
  test('all of them, for a request that may pass', async () => {
    const result = await enforce();
    expect(reasonOf(result)).toBe('allowed');
    expect(result.entered).toEqual(['authenticate', 'authorize', 'admit']);
    expect(result.recordings).toEqual([result.decision]);
    expect(result.decision).toMatchObject({ id: 'd-1', endpoint: discover, principal: alice, pattern: '/v1/discover' });
  });

  test.each<[string, House, string, string[]]>([
    [
      'a door that could not tell what it is asked',
      { request: { refused: { reason: 'forwarded_invalid', field: 'x' } } },
      'forwarded_invalid',
      [],
    ],
    [
      'an ambiguous path',
      { rooms: { canonicalTarget: () => ({ ok: false, problem: 'dot_segment' }) } },
      'path_ambiguous',
      [],
    ],
    [
      'fields that contradict',
      { rooms: { examine: () => ({ boundary, denial: { reason: 'host_invalid' } }) } },
      'host_invalid',
      [],
    ],
    [
      'plain HTTP where TLS is demanded',
      {
        settings: { requireTls: true },
        rooms: { examine: () => ({ boundary: { ...boundary, secure: false }, denial: null }) },
      },
      'transport_insecure',
      [],
    ],
    [
      'a bad credential',
      { rooms: { authenticate: () => ({ outcome: 'refused', reason: { reason: 'token_signature_invalid' } }) } },
      'token_signature_invalid',
      ['authenticate'],
    ],
    [
      'an issuer that is down',
      { rooms: { authenticate: () => ({ outcome: 'unavailable', reason: 'keys_unavailable', retryAfterSeconds: 3 }) } },
      'keys_unavailable',
      ['authenticate'],
    ],
    [
      'a missing scope',
      { rooms: { authorize: (): Reason => ({ reason: 'scope_missing', scope: 'discover' }) } },
      'scope_missing',
      ['authenticate', 'authorize', 'admit'],
    ],
    [
      'an empty budget',
      {
        rooms: {
          admission: {
            admit: () => ({ outcome: 'exhausted', budget: 'general', budgets: [], retryAfterSeconds: 9, degraded: [] }),
          },
        },
      },
      'budget_exhausted',
      ['authenticate', 'authorize', 'admit'],
    ],
    [
      'a revoked credential',
      { rooms: { admission: { admit: () => ({ outcome: 'revoked', by: 'jti' }) } } },
      'credential_revoked',
      ['authenticate', 'authorize', 'admit'],
    ],
    [
      'a bug in any room',
      {
        rooms: {
          authorize: () => {
            throw new TypeError('a bug');
          },
        },
      },
      'internal_error',
      ['authenticate', 'authorize'],
    ],
    [
      'a room that rejects',
      { rooms: { authenticate: () => Promise.reject(new Error('a bug')) } },
      'internal_error',
      ['authenticate'],
    ],
  ])('%s ends it, and is recorded once', async (_, house, reason, entered) => {
    const result = await enforce(house);
    expect(reasonOf(result)).toBe(reason);
    expect(result.entered).toEqual(entered);
    expect(result.recordings).toHaveLength(1);
  });

  test('nobody learns of plain HTTP where nothing is known about the caller’s transport', async () => {
    const unknown = { ...boundary, secure: null };
    expect(
      reasonOf(
        await enforce({
          settings: { requireTls: true },
          rooms: { examine: () => ({ boundary: unknown, denial: null }) },
        }),
      ),
    ).toBe('allowed');
  });
});

describe('what admission is asked', () => {
  const asked = async (house: House) => {
    const questions: unknown[] = [];
    await enforce({
      ...house,
      rooms: {
        ...house.rooms,
        admission: {
          admit: (question) => {
            questions.push(question);
            return admitted;
          },
        },
      },
    });
    return questions[0];
  };

  test('budgets under the pseudonym of the verified identity, and every handle of the credential', async () => {
    expect(await asked({})).toEqual({
      partition: 'identity:alice',
      budgets: [general],
      revocation: {
        tokenId: 't-1',
        subject: 'alice',
        issuer: 'https://issuer.example',
        issuedAtSeconds: 1_999_999_000,
        keyId: 'k-1',
        thumbprint: null,
        apiKeyId: null,
      },
    });
  });

  test('no budget of a request that is refused anyway, but still whether its credential is revoked', async () => {
    expect(await asked({ rooms: { authorize: () => ({ reason: 'endpoint_unknown' }) } })).toMatchObject({
      partition: null,
      budgets: [],
      revocation: { tokenId: 't-1' },
    });
  });

  test('the address where nobody has an identity, and nothing to revoke', async () => {
    const nobody: Principal = { ...alice, method: 'none', subject: 'anonymous', keyId: null, tokenId: null };
    expect(
      await asked({ rooms: { authenticate: () => ({ outcome: 'authenticated', principal: nobody, degraded: [] }) } }),
    ).toMatchObject({
      partition: 'address:192.0.2.1',
      revocation: null,
    });
  });

  test('an API key by its own id', async () => {
    const holder: Principal = { ...alice, method: 'api_key', subject: 'tests', keyId: 'tests', tokenId: null };
    expect(
      await asked({ rooms: { authenticate: () => ({ outcome: 'authenticated', principal: holder, degraded: [] }) } }),
    ).toMatchObject({
      revocation: { keyId: null, apiKeyId: 'tests' },
    });
  });
});

describe('a revoked credential', () => {
  test('is a 401 even where the request would be refused for something else', async () => {
    const result = await enforce({
      rooms: {
        authorize: () => ({ reason: 'endpoint_unknown' }),
        admission: { admit: () => ({ outcome: 'revoked', by: 'sub' }) },
      },
    });
    expect(reasonOf(result)).toBe('credential_revoked');
    expect(result.spent).toEqual(['192.0.2.1']);
  });

  test('that nobody can ask about does not turn a refusal into an outage', async () => {
    const down: AdmissionAnswer = { outcome: 'unavailable', what: 'revocation', retryAfterSeconds: 2 };
    expect(reasonOf(await enforce({ rooms: { admission: { admit: () => down } } }))).toBe('revocation_unavailable');
    expect(
      reasonOf(
        await enforce({
          rooms: { authorize: () => ({ reason: 'endpoint_unknown' }), admission: { admit: () => down } },
        }),
      ),
    ).toBe('endpoint_unknown');
  });
});

describe('failed authentications', () => {
  const wrong: Partial<Steps> = {
    authenticate: () => ({ outcome: 'refused', reason: { reason: 'token_signature_invalid' } }),
  };
  const empty = { exhausted: () => 30, spend: () => {} };

  test('spend from the budget of the address', async () => {
    expect((await enforce({ rooms: wrong })).spent).toEqual(['192.0.2.1']);
  });

  test.each([{ reason: 'certificate_unmapped' }, { reason: 'credentials_oversized' }] as const)(
    'are not what $reason is',
    async (reason) => {
      const authenticate = () => ({ outcome: 'refused', reason }) as const;
      expect((await enforce({ rooms: { authenticate } })).spent).toEqual([]);
      expect(reasonOf(await enforce({ rooms: { authenticate, failures: empty } }))).toBe(reason.reason);
    },
  );

  test('past the budget are 429 and may not cause a key fetch', async () => {
    let mayFetch: boolean | null = null;
    const result = await enforce({
      rooms: {
        failures: empty,
        authenticate: (_request, _boundary, _context, allowed) => {
          mayFetch = allowed;
          return { outcome: 'refused', reason: { reason: 'token_key_unknown' } };
        },
      },
    });
    expect(reasonOf(result)).toBe('authentication_throttled');
    expect(mayFetch).toBe(false);
  });

  test('of others do not keep a valid credential from the same address out', async () => {
    expect(reasonOf(await enforce({ rooms: { failures: empty } }))).toBe('allowed');
  });

  test('are not what a malformed request is', async () => {
    const twice: Partial<Steps> = {
      authenticate: () => ({ outcome: 'refused', reason: { reason: 'credentials_duplicated' } }),
      failures: empty,
    };
    expect(reasonOf(await enforce({ rooms: twice }))).toBe('credentials_duplicated');
  });
});

describe('our own endpoints', () => {
  const own: Partial<Steps> = {
    route: () => ({ found: 'endpoint', endpoint: revocations }),
    authorize: (_principal, route) => (route.found === 'endpoint' ? null : { reason: 'endpoint_unknown' }),
  };

  test('exist at the gateway', async () => {
    expect(reasonOf(await enforce({ rooms: own }))).toBe('allowed');
    expect(reasonOf(await enforce({ rooms: own, settings: { forwards: false } }))).toBe('allowed');
  });

  test.each(['nginx', 'traefik', 'caddy', 'envoy', 'lambda_http_2'] as const)(
    'do not exist behind %s, which would send them upstream',
    async (door) => {
      expect(reasonOf(await enforce({ rooms: own, request: { door } }))).toBe('endpoint_unknown');
    },
  );

  test('are all there is at a gateway that forwards nowhere', async () => {
    const rooms: Partial<Steps> = {
      authorize: (_principal, route) => (route.found === 'endpoint' ? null : { reason: 'endpoint_unknown' }),
    };
    expect(reasonOf(await enforce({ rooms, settings: { forwards: false } }))).toBe('endpoint_unknown');
  });
});

describe('a spelling that is not canonical', () => {
  const respelt: Partial<Steps> = { canonicalTarget: () => ({ ok: true, path: '/v1/discover', query: '' }) };
  const request = { target: '/v1/%64iscover' };

  test('is forwarded as the canonical one by the gateway', async () => {
    const { decision } = await enforce({ rooms: respelt, request });
    expect([decision.denial, decision.path]).toEqual([null, '/v1/discover']);
  });

  test.each(['nginx', 'traefik', 'caddy', 'envoy'] as const)(
    'is refused behind %s, which would forward it as it is',
    async (door) => {
      expect(reasonOf(await enforce({ rooms: respelt, request: { ...request, door } }))).toBe('path_ambiguous');
      expect(reasonOf(await enforce({ request: { door } }))).toBe('allowed');
    },
  );
});

describe('a declared body', () => {
  test('past the limit is refused before any budget is spent', async () => {
    const headers = new Headers({ 'content-length': '11' });
    const result = await enforce({ settings: { maximumBodyBytes: 10 }, request: { headers } });
    expect(result.decision.denial).toEqual({ reason: 'body_too_large', limitBytes: 10 });
    expect(reasonOf(await enforce({ settings: { maximumBodyBytes: 11 }, request: { headers } }))).toBe('allowed');
  });
});

test('what the record says of its fate is handed to the door', async () => {
  const result = await enforce({ rooms: { record: () => Promise.resolve('unavailable') } });
  expect(await result.recorded).toBe('unavailable');
});
