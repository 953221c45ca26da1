import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { describeWith } from '../support/describe-with.ts';
import type { StartedDoor } from '../support/door.ts';
import { type Deployment, type Scene, startDeployment } from '../support/incident.ts';
import { jwtEnvironment } from '../support/issuer.ts';
import { cephPrograms } from '../support/radosgw.ts';
import { choose, seededRandom } from '../support/random.ts';
import { redisProgram } from '../support/redis.ts';
import { signingJwk } from '../unit/archive/fixtures.ts';

/*
 * A day of mixed traffic under a shadow table, shortened: thousands of requests of several callers through a real door, their
 * records half in object storage and half still in Redis. What `policy shadow` finds is exactly what was planted, and the
 * other commands that read records agree with what was sent.
 */

const REQUESTS = 3000;
const UNDER_WAY = 16;
const row = { method: 'GET', budget: 'none' } as const;
const rows = [
  { ...row, path: '/orders/{id}', scope: 'orders:read' },
  { ...row, method: 'POST', path: '/orders', scope: 'orders:write' },
  { ...row, path: '/reports', scope: null },
  { ...row, path: '/admin', scope: 'admin' },
  { ...row, path: '/mine/{user}', scope: null, claims: { sub: '{user}' } },
];
// Planted: reports lose everybody who may not read them, admin gains every caller, writers may read orders too, and one row
// is forgotten.
const shadowRows = [
  { ...row, path: '/orders/{id}', scope: { any: ['orders:read', 'orders:write'] } },
  { ...row, method: 'POST', path: '/orders', scope: 'orders:write' },
  { ...row, path: '/reports', scope: 'reports:read' },
  { ...row, path: '/admin', scope: null },
];
const callers: Readonly<Record<string, string | null>> = {
  reader: 'orders:read reports:read',
  writer: 'orders:write',
  nobody: '',
  stranger: null,
};
const targets = [
  ['GET', '/orders/7'],
  ['POST', '/orders'],
  ['GET', '/reports'],
  ['GET', '/admin'],
  ['GET', '/mine/reader'],
  ['GET', '/unknown'],
] as const;
/** What the shadow table decides otherwise: caller and target → how. */
const planted: Readonly<Record<string, string>> = {
  'writer GET /orders/7': 'shadow_allows',
  'writer GET /reports': 'shadow_denies',
  'nobody GET /reports': 'shadow_denies',
  'reader GET /admin': 'shadow_allows',
  'writer GET /admin': 'shadow_allows',
  'nobody GET /admin': 'shadow_allows',
  'reader GET /mine/reader': 'shadow_denies',
  'writer GET /mine/reader': 'shadow_differs',
  'nobody GET /mine/reader': 'shadow_differs',
};

const [ceph, redisServer] = await Promise.all([cephPrograms(), redisProgram()]);

describeWith([...Object.values(ceph), redisServer], 'what the commands of policy make of a day of records', () => {
  let deployment: Deployment;
  let scene: Scene;
  const sent = new Map<string, number>();
  let tokens: Readonly<Record<string, string | null>>;

  const environment = (policy: object) => ({
    ...jwtEnvironment(scene.issuer),
    TGEFD_RBAC_ENABLED: 'true',
    TGEFD_POLICY: JSON.stringify({ preset: 'none', ...policy }),
  });
  const json = async (command: string) => {
    const { out, err, code } = await scene.shell(`tgefd-authorizer ${command}`, {});
    if (code !== 0) throw new Error(`${command}: ${err}`);
    return JSON.parse(out);
  };

  async function sendSome(door: StartedDoor, count: number, seed: number): Promise<void> {
    const random = seededRandom(seed);
    const plan = Array.from(
      { length: count },
      () => [choose(random, Object.keys(callers)), choose(random, targets)] as const,
    );
    const work = plan[Symbol.iterator]();
    await Promise.all(
      Array.from({ length: UNDER_WAY }, async () => {
        for (const [caller, [method, path]] of work) {
          const token = tokens[caller];
          const headers = token === null ? undefined : { authorization: `Bearer ${token}` };
          const answer = await fetch(`${door.url}${path}`, { method, ...(headers && { headers }) });
          await answer.body?.cancel();
          const name = `${caller} ${method} ${path}`;
          sent.set(name, (sent.get(name) ?? 0) + 1);
        }
      }),
    );
  }

  beforeAll(async () => {
    deployment = await startDeployment(ceph, JSON.stringify(signingJwk));
    scene = await deployment.scene();
    tokens = Object.fromEntries(
      await Promise.all(
        Object.entries(callers).map(async ([subject, scope]) => [
          subject,
          scope === null ? null : await scene.issuer.token({ subject, scope }),
        ]),
      ),
    );
    const first = await scene.openDoor(environment({ endpoints: rows, shadow_endpoints: shadowRows }));
    await sendSome(first, REQUESTS / 2, 1);
    await scene.archive();
    await sendSome(first, REQUESTS / 2, 2);
    await first.stop();
  });
  afterAll(async () => {
    await scene?.close();
    await deployment?.stop();
  });

  test('policy shadow finds the planted differences, all of them and no other', async () => {
    const names = new Map<string, string>();
    for (const caller of Object.keys(callers)) {
      const { out } = await scene.shell(`tgefd-authorizer audit pseudonym --identity ${caller}`, {});
      names.set(out.trim(), caller);
    }
    const { rows: found } = await json('policy shadow --since 1h --json');
    const counted = Object.fromEntries(
      (found as { endpoint: string; identity: string; kind: string; count: number }[]).map((each) => [
        `${names.get(each.identity)} ${each.endpoint.replace('{id}', '7').replace('{user}', 'reader')}`,
        [each.kind, each.count],
      ]),
    );
    const wanted = Object.entries(planted).map(([name, kind]) => [name, [kind, sent.get(name)]]);
    expect(counted).toEqual(Object.fromEntries(wanted));
  });

  test('policy shadow names the step from there to the rows', async () => {
    const { out } = await scene.shell('tgefd-authorizer policy shadow --since 1h', {});
    expect(out).toContain('the shadow table refuses (insufficient_scope)');
    expect(out).toContain('refuses otherwise (endpoint_unknown)');
    expect(out).toMatch(
      /to let them in: change the scope of GET \/(reports|mine\/\{user\}), GET \/(reports|mine\/\{user\}) in/,
    );
  });

  test('policy test --record writes cases that hold under the policy that decided', async () => {
    const record = await scene.shell('tgefd-authorizer policy test --record --from 1h > cases.json', {});
    expect([record.code, record.err]).toEqual([0, expect.stringMatching(/^\d+ cases; \d+ records/)]);
    const cases = JSON.parse(await readFile(join(scene.folder, 'cases.json'), 'utf8'));
    expect(cases.map(({ name }: { name: string }) => name).sort()).toEqual([
      'GET /admin: credentials_missing',
      'GET /admin: insufficient_scope',
      'GET /mine/{user}: allowed',
      'GET /mine/{user}: credentials_missing',
      'GET /mine/{user}: insufficient_scope',
      'GET /orders/{id}: allowed',
      'GET /orders/{id}: credentials_missing',
      'GET /orders/{id}: insufficient_scope',
      'GET /reports: allowed',
      'GET /reports: credentials_missing',
      'POST /orders: allowed',
      'POST /orders: credentials_missing',
      'POST /orders: insufficient_scope',
    ]);
    expect((await scene.shell('tgefd-authorizer policy test cases.json', {})).out).toContain('13 passed, 0 failed');
  });

  test('audit policies lists both tables with their decisions, the present one under its hash', async () => {
    const second = await scene.openDoor(environment({ endpoints: rows.slice(1) }));
    await sendSome(second, 100, 3);
    await second.stop();
    const { policies } = await json('audit policies --from 1h --json');
    expect(policies.map(({ decisions }: { decisions: number }) => decisions)).toEqual([REQUESTS, 100]);
    expect((await scene.shell('tgefd-authorizer policy hash', {})).out.trim()).toBe(policies[1].policy);
    const [before, after] = policies as { first: string; last: string }[];
    expect((before?.last ?? '') < (after?.first ?? '')).toBe(true);
  });
});
