import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseMethodArn } from '../../../../lib/adapter/lambda/arn.ts';
import { type AuthorizerCall, MalformedEvent, readEvent } from '../../../../lib/adapter/lambda/events.ts';
import type { ClientCertificate } from '../../../../lib/decision/principal.ts';
import { canonicalTarget } from '../../../../lib/request/path.ts';
import http1 from '../../functions/events/http-1.json' with { type: 'json' };
import http2 from '../../functions/events/http-2.json' with { type: 'json' };
import restRequest from '../../functions/events/rest-request.json' with { type: 'json' };
import restToken from '../../functions/events/rest-token.json' with { type: 'json' };

const ARN = 'arn:aws:execute-api:eu-central-1:123456789012:a1b2c3d4e5';
const certificate: ClientCertificate = {
  subject: 'CN=worker',
  subjectAltNames: [],
  thumbprint: 'x'.repeat(43),
  notBeforeSeconds: null,
  notAfterSeconds: null,
};
const settings = {
  tokenField: 'authorization',
  readCertificate: async (pem: string) =>
    pem === 'PEM'
      ? { certificate }
      : { certificate: null, certificateRefusal: { reason: 'certificate_malformed' as const } },
};
function read(event: unknown): AuthorizerCall {
  const call = readEvent(event, settings);
  if (call instanceof Promise) throw new Error('nothing to wait for in this event');
  return call;
}

describe('the event shapes of API Gateway', () => {
  it.each([
    ['lambda_rest_request', restRequest, '/v1/jobs/42?verbose=a&verbose=b'],
    ['lambda_http_1', http1, '/v1/jobs/42?verbose=b'],
    ['lambda_http_2', http2, '/v1/jobs/42?verbose=a&verbose=b'],
  ])('%s', (door, event, target) => {
    const { request, arn } = read(event);
    expect(request).toMatchObject({
      door,
      method: 'GET',
      target,
      hop: { peerAddress: '198.51.100.7', secure: true, certificate: null },
    });
    expect(request.headers.get('AUTHORIZATION')).toBe('Bearer abc.def.ghi');
    expect(request.headers.get('x-forwarded-proto')).toBe('https');
    expect(request.headers.get('absent')).toBeNull();
    expect(Object.fromEntries(request.headers)).toHaveProperty('user-agent', 'curl/8.5.0');
    expect(arn).toEqual({ prefix: `${ARN}/live/`, stage: 'live', method: 'GET', path: 'v1/jobs/42' });
  });

  it('lambda_rest_token knows the token, the method and the path, and no more', () => {
    const { request } = read(restToken);
    expect(request).toMatchObject({
      door: 'lambda_rest_token',
      method: 'GET',
      target: '/v1/jobs/42',
      hop: { peerAddress: null, secure: true, certificate: null },
    });
    expect([...request.headers]).toEqual([['authorization', 'Bearer abc.def.ghi']]);
  });

  it('puts the value of a TOKEN event into the field that carries it', () => {
    const call = readEvent(restToken, { ...settings, tokenField: 'x-api-key' });
    expect(call).toMatchObject({ request: { door: 'lambda_rest_token' } });
    expect('request' in call && call.request.headers.get('X-API-Key')).toBe('Bearer abc.def.ghi');
  });
});

describe('header fields', () => {
  it('sent twice are one repeated field, in whatever spelling', () => {
    const headers = { Authorization: 'Bearer a', authorization: 'Bearer b' };
    expect(read({ ...http2, headers }).request.headers.get('authorization')).toBe('Bearer a, Bearer b');
  });

  it('of a REST API keep the repetitions that `headers` drops', () => {
    const event = {
      ...restRequest,
      headers: { Authorization: 'Bearer b', Extra: 'only here' },
      multiValueHeaders: { Authorization: ['Bearer a', 'Bearer b'] },
    };
    expect(read(event).request.headers.get('authorization')).toBe('Bearer a, Bearer b');
    expect(read(event).request.headers.get('extra')).toBe('only here');
  });

  it('may be absent altogether', () => {
    expect([...read({ ...restRequest, headers: null, multiValueHeaders: null }).request.headers]).toEqual([]);
  });

  it('named like members of every object are fields like any other', () => {
    const headers = JSON.parse('{"constructor":"c","toString":"t"}');
    const { request } = read({ ...http2, headers });
    expect(request.headers.get('constructor')).toBe('c');
    expect(request.headers.get('hasOwnProperty')).toBeNull();
    expect(request.headers.get('__proto__')).toBeNull();
  });
});

describe('the path', () => {
  const httpPath = (rawPath: string, arnPath: string, more: object = {}) =>
    read({ ...http2, rawPath, rawQueryString: '', routeArn: `${ARN}/live/${arnPath}`, ...more }).request.target;
  const restPath = (path: string, arnPath: string) =>
    read({
      ...restRequest,
      path,
      methodArn: `${ARN}/live/GET/${arnPath}`,
      queryStringParameters: null,
      multiValueQueryStringParameters: null,
    }).request.target;
  const onDomain = { requestContext: { ...http2.requestContext, domainName: 'api.example.org' } };

  it.each([
    ['stage in front', httpPath('/live/v1/metrics', 'GET/v1/metrics'), '/v1/metrics'],
    ['stage named like the first segment', httpPath('/live/live/metrics', 'GET/live/metrics'), '/live/metrics'],
    ['custom domain, no base path', httpPath('/live/metrics', 'GET/live/metrics', onDomain), '/live/metrics'],
    ['custom domain, base path', httpPath('/shop/eu/v1/metrics', 'GET/v1/metrics', onDomain), '/v1/metrics'],
    ['REST with a base path', restPath('/shop/v1/metrics', 'v1/metrics'), '/v1/metrics'],
    ['root', httpPath('/live/', 'GET/'), '/'],
    ['route template in the ARN', httpPath('/live/v1/jobs/7', 'GET/v1/jobs/{job_id}'), '/v1/jobs/7'],
    ['greedy template in the ARN', httpPath('/live/v1/jobs/7', 'GET/v1/{proxy+}'), '/v1/jobs/7'],
    ['every method in the ARN', httpPath('/live/v1/jobs/7', 'ANY/v1/jobs/7'), '/v1/jobs/7'],
    ['the default route', httpPath('/live/v1/jobs/7', '$default'), '/v1/jobs/7'],
  ])('leaves out what is not of the API: %s', (_, target, expected) => {
    expect(target).toBe(expected);
  });

  it.each([
    ['REST shows the path as sent', restPath('/v1/jobs/a%2Fb', 'v1/jobs/a%2Fb'), 'encoded_separator'],
    ['REST, ARN decoded', restPath('/v1/jobs/a%2Fb', 'v1/jobs/a/b'), 'not_origin_form'],
    ['dots', restPath('/v1/jobs/..', 'v1/jobs/..'), 'dot_segment'],
    [
      'an HTTP API decodes: a percent sign stays one',
      httpPath('/live/v1/%6detrics', 'GET/v1/%6detrics'),
      'double_encoding',
    ],
    ['a backslash', httpPath('/live/v1/a\\b', 'GET/v1/a\\b'), 'encoded_separator'],
    ['path and ARN are different routes', httpPath('/live/v1/metrics', 'GET/v1/jobs/1'), 'not_origin_form'],
    ['a decoded question mark cuts the path', httpPath('/live/v1/jobs/a', 'GET/v1/jobs/a?b'), 'not_origin_form'],
    ['half a character', httpPath('/live/v1/jobs/\ud800', 'GET/v1/jobs/\ud800'), 'not_origin_form'],
    ['no path', httpPath('', 'GET/v1/metrics'), 'not_origin_form'],
  ])('that could mean two things is refused later: %s', (_, target, problem) => {
    expect(canonicalTarget(target)).toEqual({ ok: false, problem });
  });

  it('of an HTTP API is encoded again where it was decoded', () => {
    expect(httpPath('/live/v1/jobs/a b?é', 'GET/v1/jobs/a%20b%3F%C3%A9')).toBe('/v1/jobs/a%20b%3F%C3%A9');
  });

  it('with another method than the ARN has no method', () => {
    expect(read({ ...restRequest, httpMethod: 'POST' }).request.method).toBe('');
    expect(read({ ...http2, routeArn: `${ARN}/live/POST/v1/jobs/42` }).request.method).toBe('');
  });
});

describe("the platform's own client certificate", () => {
  const withPem = (clientCertPem: string) => ({
    ...http2,
    requestContext: {
      ...http2.requestContext,
      authentication: { clientCert: { clientCertPem, subjectDN: 'CN=worker' } },
    },
  });

  it('is read from HTTP API 2.0', async () => {
    const { request } = await readEvent(withPem('PEM'), settings);
    expect(request.hop.certificate).toBe(certificate);
  });

  it('is read from REST and HTTP API 1.0', async () => {
    for (const event of [restRequest, http1]) {
      const identity = { ...event.requestContext.identity, clientCert: { clientCertPem: 'PEM' } };
      const { request } = await readEvent(
        { ...event, requestContext: { ...event.requestContext, identity } },
        settings,
      );
      expect(request.hop.certificate).toBe(certificate);
    }
  });

  it('that cannot be read does not count, and the decision learns why', async () => {
    const { request } = await readEvent(withPem('something else'), settings);
    expect(request.hop.certificate).toBeNull();
    expect(request.hop.certificateRefusal).toEqual({ reason: 'certificate_malformed' });
  });
});

describe('anything else', () => {
  it.each([
    ['nothing', undefined],
    ['null', null],
    ['a string', 'event'],
    ['an empty object', {}],
    ['an array', []],
    ['an HTTP request event', { ...http2, type: undefined }],
    ['a TOKEN event without token', { ...restToken, authorizationToken: undefined }],
    ['a TOKEN event whose token is an object', { ...restToken, authorizationToken: {} }],
    ['an ARN of another service', { ...restToken, methodArn: 'arn:aws:s3:::bucket/key' }],
    [
      'an ARN with a wildcard for the API',
      { ...restToken, methodArn: 'arn:aws:execute-api:eu-central-1:123456789012:*/live/GET/x' },
    ],
    ['an ARN with a wildcard for the stage', { ...restToken, methodArn: `${ARN}/*/GET/x` }],
    ['headers that are a list', { ...http2, headers: [['authorization', 'Bearer a']] }],
    ['a header that is a list', { ...http2, headers: { authorization: ['Bearer a'] } }],
    ['a header that is a number', { ...http2, headers: { authorization: 1 } }],
    ['no request context', { ...http2, requestContext: undefined }],
    ['no HTTP part', { ...http2, requestContext: {} }],
    ['another version', { ...http2, version: '3.0' }],
    ['a path that is a number', { ...http2, rawPath: 7 }],
  ])('is malformed: %s', (_, event) => {
    expect(() => read(event)).toThrow(MalformedEvent);
  });

  it('is reported by its place, never by its value', () => {
    expect(() => read({ ...http2, headers: { authorization: 12345 } })).toThrow(/headers\.authorization/);
    expect(() => read({ ...http2, headers: { authorization: 12345 } })).not.toThrow(/12345/);
  });

  it.each([
    [
      'rawPath, headers.accept, requestContext.http',
      { ...http2, rawPath: 7, headers: { accept: 1 }, requestContext: {} },
    ],
    [
      'version, multiValueHeaders.accept.1, requestContext.identity.clientCert.clientCertPem',
      {
        ...restRequest,
        version: '3.0',
        multiValueHeaders: { accept: ['text/html', 1] },
        requestContext: { identity: { clientCert: {} } },
      },
    ],
    ['methodArn, authorizationToken', { type: 'TOKEN' }],
    ['event', []],
    ['the ARN', { ...restToken, methodArn: 'arn:aws:s3:::bucket/key' }],
  ])('is reported with every place at once: %s', (places, event) => {
    expect(() => read(event)).toThrow(new MalformedEvent(`not an authorizer event of API Gateway: ${places}`));
  });

  it('never gives a call, however it is mangled', () => {
    const events = [restToken, restRequest, http1, http2].map((event) => JSON.stringify(event));
    fc.assert(
      fc.property(
        fc.constantFrom(...events),
        fc.nat(),
        fc.nat(12),
        fc.string({ maxLength: 6 }),
        (text, at, cut, put) => {
          const place = at % text.length;
          let event: unknown;
          try {
            event = JSON.parse(text.slice(0, place) + put + text.slice(place + cut));
          } catch {
            return;
          }
          try {
            const { request, arn } = read(event);
            expect(typeof request.target).toBe('string');
            expect(arn.prefix).toMatch(/^arn:aws[a-z-]*:execute-api:[a-z0-9-]+:\d{12}:\w+\/(\$default|[\w-]+)\/$/);
          } catch (error) {
            expect(error).toBeInstanceOf(MalformedEvent);
          }
        },
      ),
      { seed: 7, numRuns: 3000 },
    );
  });

  it('of any JSON at all is malformed or read, never a bug', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(() => read(value)).toThrow(MalformedEvent);
      }),
      { seed: 8, numRuns: 500 },
    );
  });
});

describe('an ARN', () => {
  it.each([
    [`${ARN}/live/GET/v1/x`, { prefix: `${ARN}/live/`, stage: 'live', method: 'GET', path: 'v1/x' }],
    [`${ARN}/$default/GET/`, { prefix: `${ARN}/$default/`, stage: '$default', method: 'GET', path: '' }],
    [`${ARN}/$default/$default`, { prefix: `${ARN}/$default/`, stage: '$default', method: '$default', path: '' }],
    [
      `${ARN.replace('aws', 'aws-us-gov')}/live/POST/a/b`,
      { prefix: `${ARN.replace('aws', 'aws-us-gov')}/live/`, stage: 'live', method: 'POST', path: 'a/b' },
    ],
    [`${ARN}/live`, null],
    [`${ARN}/live/GET/${'x'.repeat(1600)}`, null],
    [`x${ARN}/live/GET/`, null],
    [`${ARN}/live/GET/v1/x`, { prefix: `${ARN}/live/`, stage: 'live', method: 'GET', path: 'v1/x' }],
    [`${ARN}/li*ve/GET/v1/x`, null],
    [`${ARN}/$default/GET/a//b`, { prefix: `${ARN}/$default/`, stage: '$default', method: 'GET', path: 'a//b' }],
  ])('%s', (arn, expected) => {
    expect(parseMethodArn(arn)).toEqual(expected);
  });
});
