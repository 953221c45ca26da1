import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  ASSERTING_FAMILIES,
  ASSERTING_FIELDS,
  CONNECTION_FIELDS,
  ingressFields,
} from '../../../lib/request/field-names.ts';
import { INGRESS_PROOF_FIELD } from '../../../lib/request/ingress-proof.ts';
import { createFieldRules, upstreamFields } from '../../../lib/request/strip.ts';

const CONFIGURED = ['X-Client-Id', 'x-ssl-client-subject', 'x-mtls-scopes', 'x-mtls-roles'];
const settings = {
  identityHeaders: CONFIGURED,
  credentialHeaders: ['authorization', 'x-api-key', 'X-Token'],
  forwardCredentials: false,
};
const rules = createFieldRules(settings);
const TRACEPARENT = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';

/** Fields as a door hands them on: names as sent, repetitions kept. */
function fieldsOf(...fields: readonly (readonly [string, string])[]) {
  return {
    get: (wanted: string) => {
      const values = fields.filter(([name]) => name.toLowerCase() === wanted.toLowerCase()).map(([, value]) => value);
      return values.length === 0 ? null : values.join(', ');
    },
    [Symbol.iterator]: () => fields.map(([name, value]): [string, string] => [name, value])[Symbol.iterator](),
  };
}
function passed(...fields: readonly (readonly [string, string])[]) {
  return upstreamFields(fieldsOf(...fields), rules);
}

describe('what is the caller’s to send goes upstream', () => {
  it.each([
    'accept',
    'accept-encoding',
    'content-type',
    'content-encoding',
    'cookie',
    'if-none-match',
    'origin',
    'range',
    'user-agent',
    'sec-websocket-key',
    'idempotency-key',
    'api_version',
    'x-custom',
    'cache-control',
    'via',
    'x-forwa',
    '__proto__',
    'constructor',
  ])('%s', (name) => {
    expect(passed([name, 'v'])).toEqual([[name, 'v']]);
  });

  it('with names in lower case, repetitions and order kept', () => {
    expect(passed(['Accept', 'a'], ['X-B', '1'], ['x-b', '2'])).toEqual([
      ['accept', 'a'],
      ['x-b', '1'],
      ['x-b', '2'],
    ]);
  });
});

const asserting = [
  ...CONNECTION_FIELDS,
  ...ASSERTING_FIELDS,
  ...ASSERTING_FAMILIES.map((family) => `${family}${family.endsWith('-') ? 'x' : '-x'}`),
  ...ingressFields(CONFIGURED),
  ...settings.credentialHeaders,
  INGRESS_PROOF_FIELD,
  'X-Auth-Request-User',
  'X-Auth-Request-Scopes',
  'X-Tgefd-Assertion',
  'X-Forwarded-Uri',
  'X-Forwarded-Prefix',
  'X-Forwarded-Tls-Client-Cert',
  'X-Original-URL',
  'X-Rewrite-URL',
  'X-HTTP-Method-Override',
  'CF-Connecting-IP',
  'CF-Access-Jwt-Assertion',
  'True-Client-IP',
  'X-Envoy-Original-Path',
  'X-Middleware-Subrequest',
  'Proxy-Authorization',
  'Proxy-Connection',
  'Remote-User',
];

describe('what asserts an identity, an address, a certificate or another request stays behind', () => {
  it.each([...new Set(asserting)])('%s, in every spelling', (name) => {
    const spellings = [
      name,
      name.toUpperCase(),
      name.replaceAll('-', '_'),
      name.replaceAll('-', '.'),
      name.replace('-', '_'),
    ];
    for (const spelling of [...spellings, name.replaceAll('-', '~')]) expect(passed([spelling, 'v'])).toEqual([]);
  });
});

describe('Connection (RFC 9110 §7.6.1)', () => {
  it('removes what it names, in any case and number', () => {
    expect(
      passed(
        ['Connection', 'close, X-Hop'],
        ['connection', 'x-leap ,,'],
        ['x-hop', '1'],
        ['X-Leap', '2'],
        ['x-stay', '3'],
      ),
    ).toEqual([['x-stay', '3']]);
  });

  it.each(['close', 'Keep-Alive', 'keep-alive, Upgrade', ''])('%j removes nothing else', (value) => {
    expect(passed(['connection', value], ['accept', '*/*'])).toEqual([['accept', '*/*']]);
  });

  it('cannot name away a field of ours, which is added to the result', () => {
    const fields = passed(['connection', 'x-auth-request-user'], ['x-auth-request-user', 'mallory']);
    fields.push(['x-auth-request-user', 'alice']);
    expect(fields).toEqual([['x-auth-request-user', 'alice']]);
  });
});

describe('credentials', () => {
  const credentials = settings.credentialHeaders.map((name) => [name.toLowerCase(), 'secret'] as const);

  it('stay behind', () => {
    expect(passed(...credentials)).toEqual([]);
  });

  it('go upstream where they are to be forwarded, but never under an alias that nobody has verified', () => {
    const forwarding = createFieldRules({ ...settings, forwardCredentials: true });
    expect(upstreamFields(fieldsOf(...credentials), forwarding)).toEqual(credentials);
    expect(upstreamFields(fieldsOf(['x_api_key', 'v'], ['X.Token', 'v'], ['X-Api_Key', 'v']), forwarding)).toEqual([]);
  });
});

describe('trace context', () => {
  it('keeps tracestate with the trace it belongs to only', () => {
    expect(passed(['traceparent', TRACEPARENT], ['tracestate', 'a=b'])).toEqual([['tracestate', 'a=b']]);
    expect(passed(['traceparent', 'x'], ['tracestate', 'a=b'])).toEqual([]);
    expect(passed(['tracestate', 'a=b'])).toEqual([]);
  });
});

it('gives the same verdict however many names a caller invents', () => {
  const flooded = createFieldRules(settings);
  for (let i = 0; i < 2000; i++) flooded.removes(`x-invented-${i}`);
  expect(flooded.removes('x-forwarded-for')).toBe(true);
  expect(flooded.removes('accept')).toBe(false);
});

it.each([
  ['Kong', 'X-Anonymous-Consumer', 'X-Userinfo'],
  ['Google API Gateway', 'X-Apigateway-Api-Userinfo', 'X-Endpoint-Api-Userinfo'],
  ['the Lambda Web Adapter', 'X-Amzn-Request-Context', 'X-Amzn-Lambda-Context'],
  ['App Service', 'X-Ms-Token-Aad-Id-Token', 'X-Arr-Ssl'],
  ['WSO2', 'X-Jwt-Assertion', 'X_JWT_Assertion'],
  ['Apache', 'OIDC_CLAIM_sub', 'Shib-User'],
  ['Vouch', 'X-Vouch-User', 'X-Vouch-Idp-Claims-Groups'],
  ['WebSEAL and SiteMinder', 'Iv-User', 'SM_USER'],
  ['WebLogic', 'WL-Proxy-Client-IP', 'WL-Proxy-Client-Cert'],
  ['Kubernetes', 'Impersonate-User', 'Impersonate-Group'],
  ['a mesh', 'X-Spiffe-Id', 'X-Tls-Client-Cert'],
  ['a CDN', 'CloudFront-Viewer-Address', 'X-Vercel-Forwarded-For'],
  ['an application', 'X-User-Email', 'X-User-Roles'],
])('strips what an upstream may believe from %s: %s, %s', (_, ...names) => {
  expect(passed(...names.map((name) => [name, 'forged'] as const))).toEqual([]);
});

it('strips every field that an ingress is believed for', () => {
  for (const name of ingressFields(CONFIGURED)) expect(rules.removes(name)).toBe(true);
});

it('never throws, and no spelling of a protected name comes through', () => {
  const spelled = fc
    .tuple(
      fc.constantFrom(...asserting),
      fc.array(fc.constantFrom('-', '_', '.', '!', '~', '+'), { minLength: 1 }),
      fc.boolean(),
    )
    .map(([name, marks, upper]) => {
      let index = 0;
      const spelling = name.replace(/-/g, () => marks[index++ % marks.length] ?? '-');
      return upper ? spelling.toUpperCase() : spelling;
    });
  const names = fc.oneof(spelled, fc.string(), fc.constantFrom('accept', 'connection'));
  fc.assert(
    fc.property(fc.array(fc.tuple(names, fc.string())), (fields) => {
      for (const [name] of passed(...fields)) {
        const plain = name.toLowerCase().replace(/[^a-z0-9]/g, '-');
        expect(ASSERTING_FAMILIES.some((family) => plain.startsWith(family))).toBe(false);
        expect([...ASSERTING_FIELDS, ...CONNECTION_FIELDS, ...ingressFields(CONFIGURED)]).not.toContain(plain);
      }
    }),
    { seed: 20_260_106, numRuns: 1000 },
  );
});
