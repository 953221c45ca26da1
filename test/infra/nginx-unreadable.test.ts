import { afterEach, expect, test } from 'vitest';
import { describeWith } from '../support/describe-with.ts';
import { documentedProxies } from '../support/documented-proxies.ts';
import { startNodeDoor } from '../support/node-door.ts';
import { requestRaw } from '../support/raw-http.ts';
import { startUpstream } from '../support/upstream.ts';

const running: { stop(): Promise<unknown> }[] = [];
afterEach(async () => {
  for (const part of running.splice(0)) await part.stop();
});

for (const { door, program, start } of (await documentedProxies()).filter(({ door: name }) => name === 'nginx')) {
  describeWith([program], `the documented ${door}`, () => {
    test('tells a credential with a control character as a denial, with a record', async () => {
      const upstream = await startUpstream();
      const authorizer = await startNodeDoor({
        TGEFD_ENV: 'development',
        TGEFD_AUTH_MODE: 'jwt',
        TGEFD_JWT_SECRET: 'a secret of the tests, of 32 bytes or more',
        TGEFD_FORWARD_AUTH: door,
        TGEFD_TRUSTED_PROXIES: '127.0.0.1/32',
      });
      const proxy = await start(authorizer.port, upstream.port);
      running.push(proxy, authorizer, upstream);
      const ask = (credential: string) =>
        requestRaw(proxy.port, 'GET /v1/metrics HTTP/1.1', [`Host: a.example`, `Authorization: Bearer ${credential}`]);
      const answer = await ask('a\x01b');
      expect([answer.status, JSON.parse(answer.body).code]).toEqual([400, 'request_invalid']);
      const records = () =>
        authorizer.lines.flatMap((line) => (line.includes('"type":"audit"') ? [JSON.parse(line)] : []));
      await expect
        .poll(() => records().at(-1), { timeout: 5_000 })
        .toMatchObject({
          outcome: 'denied',
          status: 400,
          reason: 'host_invalid',
          door: 'nginx',
          request_id: JSON.parse(answer.body).request_id,
        });
      expect((await ask('ab')).status).toBe(401);
    });
  });
}
