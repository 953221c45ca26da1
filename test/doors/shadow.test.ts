import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { StartedDoor } from '../support/door.ts';
import { type Issuer, jwtEnvironment, startIssuer } from '../support/issuer.ts';
import { startNodeDoor } from '../support/node-door.ts';
import { startUpstream, type Upstream } from '../support/upstream.ts';
import { startWorkerDoor } from '../support/worker-door.ts';

let issuer: Issuer;
let upstream: Upstream;
beforeAll(async () => {
  [issuer, upstream] = await Promise.all([startIssuer(), startUpstream()]);
});
afterAll(() => Promise.all([issuer?.stop(), upstream?.stop()]));

describe.each(Object.entries({ node: startNodeDoor, workerd: startWorkerDoor }))(
  'a trial on %s',
  (_platform, start) => {
    let door: StartedDoor;
    const until = new Date(Date.now() + 3_600_000).toISOString();
    beforeAll(async () => {
      door = await start({
        ...jwtEnvironment(issuer),
        TGEFD_RBAC_ENABLED: 'true',
        TGEFD_UPSTREAM_URL: upstream.url,
        TGEFD_METRICS_ENABLED: 'true',
        TGEFD_SHADOW_UNTIL: until,
        TGEFD_SHADOW_ENDPOINTS: JSON.stringify([
          { method: 'GET', path: '/v1/jobs/{id}', scope: 'jobs:read', budget: 'read' },
        ]),
      });
    });
    afterAll(() => door?.stop());

    const call = async (path: string, scope: string | null, method = 'GET') => {
      const token = scope === null ? null : await issuer.token({ scope });
      return fetch(`${door.url}${path}`, {
        method,
        headers: token === null ? {} : { authorization: `Bearer ${token}` },
      });
    };

    test('lets a caller without the scope through, and never one without a credential', async () => {
      expect((await call('/v1/jobs/7', 'metrics')).status).toBe(200);
      expect((await call('/v1/jobs/7', null)).status).toBe(401);
    });

    test('keeps unknown paths and our own endpoints closed', async () => {
      expect((await call('/v1/nothing', 'jobs')).status).toBe(404);
      expect((await call('/_authorizer/revocations', 'jobs')).status).toBe(403);
    });

    test('tells a stranger nothing of the trial, and says it beside ready', async () => {
      expect((await call('/v1/jobs/7', 'metrics')).headers.get('x-tgefd-shadow')).toBeNull();
      expect(await (await fetch(`${door.url}/readyz`)).text()).toContain(`denials are only recorded until ${until}`);
    });

    test('counts what would be denied, and where the second table differs', async () => {
      expect((await call('/v1/jobs/7', 'jobs')).status).toBe(200);
      const page = await (await call('/_authorizer/metrics', 'metrics')).text();
      expect(page).toMatch(/tgefd_decisions_total\{[^}]*outcome="would_deny",code="insufficient_scope"[^}]*\} [1-9]/);
      expect(page).toMatch(/tgefd_shadow_differences_total\{[^}]*outcome="denied",code="insufficient_scope"\} [1-9]/);
      expect(page).toMatch(/tgefd_shadow_until_seconds \d/);
    });
  },
);

test('a trial longer than 30 days is refused before anything listens', async () => {
  const far = new Date(Date.now() + 31 * 24 * 3_600_000).toISOString();
  const started = startNodeDoor({
    ...jwtEnvironment(issuer),
    TGEFD_UPSTREAM_URL: upstream.url,
    TGEFD_SHADOW_UNTIL: far,
  });
  await expect(started).rejects.toThrow(/TGEFD_SHADOW_UNTIL/);
});
