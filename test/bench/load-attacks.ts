import { setTimeout as pause } from 'node:timers/promises';
import { decodeJwt } from 'jose';
import { makeCredentials } from '../doors/credentials.ts';
import { type DoorCase, doorTable } from '../doors/table.ts';
import { requestRaw } from '../support/raw-http.ts';
import type { LoadSetting } from './load-setting.ts';

/** One hostile request and every answer that is owed to it. */
export interface Attack {
  readonly name: string;
  readonly request: Pick<DoorCase, 'method' | 'target' | 'fields' | 'body'>;
  readonly token: string | null;
  /** `status` or `status code`; a status alone is nginx's own refusal. */
  readonly owed: readonly string[];
}

/** nginx refuses some of what is malformed by itself, before anybody is asked. */
const MALFORMED = /8 KiB|two Authorization|encoded NUL|percent-encoding/;

/** The hostile requests of the door table, one with a token that was revoked, and two of a caller who may ask once a minute. */
export async function attacksOf({ issuer, door }: LoadSetting): Promise<readonly Attack[]> {
  const credentials = await makeCredentials(issuer);
  const [revoked, flooder, operator] = await Promise.all(
    ['mallory', 'flooder', 'operator'].map((subject) => issuer.token({ subject })),
  );
  const metrics = { target: '/v1/metrics' };
  const { jti, exp } = decodeJwt(revoked ?? '');
  const answer = await fetch(`http://127.0.0.1:${door.port}/_authorizer/revocations`, {
    method: 'POST',
    headers: { authorization: `Bearer ${operator}` },
    body: JSON.stringify({ kind: 'jti', id: jti, expires_at: exp }),
  });
  if (answer.status !== 201) throw new Error(`revoking answered ${answer.status}: ${await answer.text()}`);
  await pause(5_500); // What leases may let a revocation take (TGEFD_REVOCATION_MAX_DELAY_SEC).
  // Whoever fails too often from one address is told 429 from then on.
  const failing = (owed: string) => [owed, ...(owed.startsWith('401') ? ['429 rate_limited'] : [])];
  const flood = { name: 'a flood', request: metrics, token: flooder ?? null, owed: ['200', '429 rate_limited'] };
  return [
    { name: 'a revoked token', request: metrics, token: revoked ?? null, owed: failing('401 credentials_invalid') },
    flood,
    flood,
    ...doorTable
      .filter(({ expect }) => expect.status !== 200)
      .map((one) => ({
        name: one.name,
        request: one,
        token: one.credential ? credentials[one.credential] : null,
        owed: [
          // An answer to HEAD has no body that could name a code.
          ...failing(one.method === 'HEAD' ? `${one.expect.status}` : `${one.expect.status} ${one.expect.code}`),
          ...(MALFORMED.test(one.name) ? ['400'] : []),
        ],
      })),
  ];
}

/** Sends one of them to `port`; gives what was told, in the form of `owed`, and whether the door decided it. */
export async function attackOnce(
  port: number,
  { request, token }: Attack,
): Promise<{ told: string; decided: boolean }> {
  const fields = [
    `Host: 127.0.0.1:${port}`,
    ...(token === null ? [] : [`Authorization: Bearer ${token}`]),
    ...(request.fields ?? []).map(([name, value]) => `${name}: ${value}`),
  ];
  const answer = await requestRaw(port, `${request.method ?? 'GET'} ${request.target} HTTP/1.1`, fields, request.body);
  const problem = answer.field('content-type') === 'application/problem+json' && answer.body !== '';
  return {
    told: problem ? `${answer.status} ${JSON.parse(answer.body).code}` : `${answer.status}`,
    decided: answer.field('x-request-id') !== null,
  };
}
