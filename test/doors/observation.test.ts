import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { freePort } from '../support/child.ts';
import { type Collector, startCollector } from '../support/collector.ts';
import type { StartedDoor } from '../support/door.ts';
import { type Issuer, jwtEnvironment, startIssuer } from '../support/issuer.ts';
import { startNodeDoor } from '../support/node-door.ts';
import { startUpstream, type Upstream } from '../support/upstream.ts';
import { startWorkerDoor } from '../support/worker-door.ts';

let issuer: Issuer;
let upstream: Upstream;
let collector: Collector;
beforeAll(async () => {
  [issuer, upstream, collector] = await Promise.all([startIssuer(), startUpstream(), startCollector()]);
});
afterAll(() => Promise.all([issuer?.stop(), upstream?.stop(), collector?.stop()]));

function environment() {
  return {
    ...jwtEnvironment(issuer),
    TGEFD_RBAC_ENABLED: 'true',
    TGEFD_UPSTREAM_URL: upstream.url,
  };
}
const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const CALLER = '00f067aa0ba902b7';

describe.each(Object.entries({ node: startNodeDoor, workerd: startWorkerDoor }))('on %s', (platform, start) => {
  let door: StartedDoor;
  let metricsPort: number;
  beforeAll(async () => {
    metricsPort = await freePort();
    door = await start({
      ...environment(),
      TGEFD_METRICS_ENABLED: 'true',
      ...(platform === 'node' ? { TGEFD_METRICS_PORT: `${metricsPort}` } : {}),
      TGEFD_OTEL_ENABLED: 'true',
      TGEFD_OTEL_ENDPOINT: collector.endpoint,
      TGEFD_OTEL_HEADERS: 'x-collector-key=for-the-collector-only',
      TGEFD_OTEL_SERVICE_NAME: `tgefd-${platform}`,
    });
  });
  afterAll(() => door?.stop());

  const call = (path: string, token: string | null, headers: Record<string, string> = {}, method = 'GET') =>
    fetch(`${door.url}${path}`, {
      method,
      headers: { ...(token === null ? {} : { authorization: `Bearer ${token}` }), ...headers },
    });
  const spans = () => collector.spans.filter(({ service }) => service === `tgefd-${platform}`);

  test('the metrics page is for the metrics scope, which `*` includes', async () => {
    expect((await call('/_authorizer/metrics', null)).status).toBe(401);
    expect((await call('/_authorizer/metrics', await issuer.token({ scope: 'evaluate' }))).status).toBe(403);
    const page = await call('/_authorizer/metrics', await issuer.token({ subject: 'scraper', scope: 'metrics' }));
    expect(page.status).toBe(200);
    expect((await call('/_authorizer/metrics', await issuer.token({ scope: '*' }))).status).toBe(200);
    expect(page.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
    expect(page.headers.get('cache-control')).toBe('no-store');
    const text = await page.text();
    expect(text).toContain(
      'tgefd_decisions_total{endpoint="authorizer_metrics",outcome="denied",code="credentials_missing",auth_method="jwt",degraded="none"} 1\n',
    );
    expect(text).toContain('code="insufficient_scope"');
    expect(text).toMatch(/tgefd_key_set_age_seconds \d/);
    expect(text).toContain('tgefd_audit_lost_total 0\n');
  });

  test('decisions, their stages and the upstream are counted; whoever called is not', async () => {
    const token = await issuer.token({ subject: 'alice-the-caller' });
    await call('/v1/jobs/job-nobody-may-read', token);
    await call('/v1/discover', token, {}, 'POST');
    await call('/v1/nothing', token);
    const page = await (await call('/_authorizer/metrics', await issuer.token({ scope: 'metrics' }))).text();
    expect(page).toContain('{endpoint="jobs",outcome="allowed",code="none",auth_method="jwt",degraded="none"} 1\n');
    expect(page).toContain('{endpoint="discover",outcome="allowed",code="none",auth_method="jwt",degraded="none"} 1\n');
    expect(page).toContain(
      '{endpoint="none",outcome="denied",code="endpoint_unknown",auth_method="jwt",degraded="none"} 1\n',
    );
    for (const stage of ['boundary', 'authenticate', 'admit', 'total']) {
      expect(page).toMatch(new RegExp(`tgefd_decision_duration_seconds_count\\{stage="${stage}"\\} [1-9]`));
    }
    expect(page).toMatch(/tgefd_upstream_duration_seconds_count 2\n/);
    for (const told of ['alice', 'job-nobody', token]) expect(page).not.toContain(told);
  });

  test('a request is one trace: the caller’s span, ours, its stages, and what the upstream is told', async () => {
    const answer = await call('/v1/jobs/7', await issuer.token({ subject: 'alice-the-caller' }), {
      traceparent: `00-${TRACE}-${CALLER}-00`,
    });
    const { received } = (await answer.json()) as { received: { fields: [string, string][] } };
    const onward = received.fields.find(([name]) => name.toLowerCase() === 'traceparent')?.[1] ?? '';
    const [, traceId, spanId, flags] = onward.split('-');
    expect(traceId).toBe(TRACE);
    // A stranger asked not to be traced, and is all the same: the ratio is 1.
    expect(flags).toBe('01');
    const own = await vi.waitUntil(() => spans().find((span) => span.spanId === spanId), { timeout: 5000 });
    expect(own).toMatchObject({ traceId: TRACE, parentSpanId: CALLER, name: 'GET /v1/jobs/{job_id}', kind: 2 });
    expect(own.attributes).toMatchObject({ 'tgefd.outcome': 'allowed', 'http.response.status_code': '200' });
    const stages = spans().filter(({ parentSpanId }) => parentSpanId === spanId);
    expect(stages.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['boundary', 'authenticate', 'admit', 'upstream']),
    );
    expect(stages.find(({ name }) => name === 'upstream')?.kind).toBe(3);
    expect(collector.headers.at(-1)).toMatchObject({ 'x-collector-key': 'for-the-collector-only' });
    expect(collector.bodies.join()).not.toMatch(/alice|jobs\/7|Bearer/);
    expect(door.lines.join('\n')).not.toContain('for-the-collector-only');
  });

  test('a denial is traced with its code', async () => {
    await call('/v1/metrics', await issuer.token({ scope: 'evaluate' }), {
      traceparent: `00-${'5'.repeat(32)}-${CALLER}-01`,
    });
    const span = await vi.waitUntil(
      () => spans().find((one) => one.traceId === '5'.repeat(32) && one.parentSpanId === CALLER),
      { timeout: 5000 },
    );
    expect(span.attributes).toMatchObject({ 'tgefd.code': 'insufficient_scope', 'http.response.status_code': '403' });
  });

  if (platform === 'node')
    test('a port of its own tells the same page without credentials, and nothing else', async () => {
      const at = (path: string, method = 'GET') => fetch(`http://127.0.0.1:${metricsPort}${path}`, { method });
      expect(await (await at('/_authorizer/metrics')).text()).toContain('# TYPE tgefd_decisions_total counter\n');
      expect((await at('/_authorizer/metrics', 'POST')).status).toBe(405);
      for (const path of ['/', '/healthz', '/v1/metrics', '/_authorizer/revocations'])
        expect((await at(path)).status).toBe(404);
    });
});

test('without TGEFD_METRICS_ENABLED there is no page, and new traces are marked as kept all the same', async () => {
  const door = await startNodeDoor(environment());
  const headers = { authorization: `Bearer ${await issuer.token()}` };
  expect((await fetch(`${door.url}/_authorizer/metrics`, { headers })).status).toBe(404);
  await fetch(`${door.url}/v1/metrics`, { headers });
  const fields = upstream.received.at(-1)?.fields ?? [];
  expect(fields.find(([name]) => name.toLowerCase() === 'traceparent')?.[1]).toMatch(/-03$/);
  await door.stop();
});

test('a collector that hangs or is gone costs no request anything', async () => {
  const door = await startNodeDoor({
    ...environment(),
    TGEFD_OTEL_ENABLED: 'true',
    TGEFD_OTEL_ENDPOINT: `${upstream.url}/hang`,
    TGEFD_OTEL_TIMEOUT_SEC: '0.3',
  });
  const headers = { authorization: `Bearer ${await issuer.token()}` };
  const begun = performance.now();
  for (let at = 0; at < 5; at++) expect((await fetch(`${door.url}/v1/metrics`, { headers })).status).toBe(200);
  expect(performance.now() - begun).toBeLessThan(5 * 300);
  await vi.waitUntil(() => door.lines.some((line) => line.includes('trace_export_failing')), { timeout: 5000 });
  expect(door.lines.filter((line) => line.includes('trace_export_failing'))).toHaveLength(1);
  await door.stop();
});
