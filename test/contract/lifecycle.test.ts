import { exportJWK, generateKeyPair, type JWK } from 'jose';
import { afterEach, describe, expect, test } from 'vitest';
import type { Composed } from '../../lib/compose/authorizer.ts';
import type { Lifecycle } from '../../lib/compose/lifecycle/life.ts';
import { createLifecycle } from '../../lib/compose/lifecycle/lifecycle.ts';
import { loadConfig } from '../../lib/config/load.ts';
import type { AccessRequest } from '../../lib/decision/request.ts';
import { observed, type SecretPlace, type Subject, subjects } from './lifecycle-platforms.ts';

const SECRET = 'TGEFD_AUDIT_PSEUDONYM_KEY';
const [first, second] = ['the first pseudonym key, 32 bytes or more', 'the second pseudonym key, 32 bytes or more'];
const REFRESH_SECONDS = '0.2';

async function pairOf(kid: string): Promise<JWK> {
  const { privateKey } = await generateKeyPair('ES256', { extractable: true });
  return { ...(await exportJWK(privateKey)), kid };
}
const [good, other] = await Promise.all([pairOf('good'), pairOf('other')]);
/** The private half of one key with the public half of another. */
const mismatched = JSON.stringify({ ...good, d: other.d });

const base = {
  TGEFD_ENV: 'development',
  TGEFD_AUTH_MODE: 'none',
  TGEFD_UPSTREAM_URL: 'http://127.0.0.1:9',
  TGEFD_AUDIT_LOG: 'false',
  TGEFD_SECRETS_REFRESH_SEC: REFRESH_SECONDS,
};
/** What an archive needs beside it. Nothing answers there: the contract ends before the first run. */
const archive = {
  TGEFD_REDIS_URL: 'http://127.0.0.1:9',
  TGEFD_REDIS_TOKEN: 'a token',
  TGEFD_AUDIT_BUCKET: 'records',
  TGEFD_AUDIT_S3_ENDPOINT: 'http://127.0.0.1:9',
  TGEFD_AUDIT_SIGNING_KEY: JSON.stringify(good),
};

const open: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of open.splice(0)) await end();
});

/** A lifecycle of one platform, with every configuration that came into force. */
function begin({ open: openSubject, decides }: Subject, env: Readonly<Record<string, unknown>>) {
  const opened = openSubject({ ...base, ...(decides ? {} : archive), ...env });
  const { platform, seen } = observed(opened.platform);
  const inForce: (string | undefined)[] = [];
  const lifecycle: Lifecycle<unknown> = createLifecycle<unknown>(platform, {
    ...opened.steps,
    compose(config, before) {
      inForce.push(config.settings.auditPseudonymKey?.current);
      return opened.steps.compose(config, before);
    },
  });
  const deferred: Promise<unknown>[] = [];
  const context = { defer: (promise: Promise<unknown>) => void deferred.push(promise) };
  open.push(async () => {
    await lifecycle.close();
    await Promise.allSettled(deferred);
  });
  return { lifecycle, seen, inForce, context, sharePromises: platform.sharePromises };
}

async function placeOf(subject: Subject, value: string): Promise<SecretPlace> {
  const place = await subject.secretPlace();
  open.push(() => place.remove());
  await place.put(value);
  return place;
}

const request: AccessRequest = {
  door: 'nginx',
  method: 'GET',
  target: '/v1/metrics',
  headers: new Headers({ host: 'api.example' }),
  hop: { peerAddress: '192.0.2.1', secure: true, certificate: null },
};

/** Asks the parts for one decision, where they decide. */
async function isServed(parts: unknown, context: Parameters<Composed['enforce']>[1]): Promise<boolean> {
  if (parts === null) return false;
  if (typeof parts !== 'object' || !('enforce' in parts)) return true;
  const { decision } = await (parts as Composed).enforce(request, context);
  return decision.denial === null;
}

describe.each(subjects)('$name', (subject) => {
  test('serves once everything is proved, and not before', async () => {
    const { lifecycle, context, inForce } = begin(subject, {
      TGEFD_ASSERTION_KEY: JSON.stringify(good),
      [SECRET]: first,
    });
    expect(lifecycle.serving()).toBeNull();
    expect(await lifecycle.ready(context)).toBeNull();
    expect(await isServed(lifecycle.serving(), context)).toBe(true);
    expect(await lifecycle.ready(context)).toBeNull();
    expect(inForce).toEqual([first]);
  });

  test('prints every problem of an invalid configuration once, and serves nothing', async () => {
    const { lifecycle, context, seen, inForce } = begin(subject, {
      TGEFD_ENV: 'staging',
      TGEFD_RATE_LIMIT_PER_MINUTE: 'many',
    });
    const problems = await lifecycle.ready(context);
    expect(problems?.map(({ variable }) => variable)).toEqual(
      expect.arrayContaining(['TGEFD_ENV', 'TGEFD_RATE_LIMIT_PER_MINUTE']),
    );
    expect(seen.refused).toHaveLength(problems?.length ?? 0);
    expect(await lifecycle.current(context)).toBeNull();
    expect([lifecycle.serving(), inForce]).toEqual([null, []]);
  });

  test.each([
    ['TGEFD_ASSERTION_KEY', { TGEFD_ASSERTION_KEY: mismatched }],
    [
      'TGEFD_ASSERTION_KEY_PREVIOUS',
      { TGEFD_ASSERTION_KEY: JSON.stringify(good), TGEFD_ASSERTION_KEY_PREVIOUS: mismatched },
    ],
    ['TGEFD_AUDIT_SIGNING_KEY', { TGEFD_AUDIT_SIGNING_KEY: mismatched }],
    [
      'TGEFD_AUDIT_SIGNING_KEY_PREVIOUS',
      { TGEFD_AUDIT_SIGNING_KEY: JSON.stringify(other), TGEFD_AUDIT_SIGNING_KEY_PREVIOUS: mismatched },
    ],
  ])('takes halves that do not belong together in %s for a problem', async (variable, env) => {
    const { lifecycle, context, seen, inForce } = begin(subject, env);
    const problems = await lifecycle.ready(context);
    expect(problems).toEqual([expect.objectContaining({ variable, accepted: 'a key pair that belongs together' })]);
    expect(seen.refused.join('\n')).not.toContain(good.d);
    expect(await lifecycle.current(context)).toBeNull();
    expect([lifecycle.serving(), inForce]).toEqual([null, []]);
  });

  test('takes a secret into force once it has changed, and drops no request meanwhile', async () => {
    const place = await placeOf(subject, first);
    const { lifecycle, context, seen, inForce, sharePromises } = begin(subject, place.variables(SECRET));
    // On Workers each of these works for itself: none may await another's promise.
    const early = await Promise.all(Array.from({ length: 5 }, () => lifecycle.current(context)));
    expect(early.every((parts) => parts !== null)).toBe(true);
    expect(inForce).toEqual([first]);
    if (sharePromises) expect(new Set(early).size).toBe(1);

    let served = 0;
    let refused = 0;
    let asking = true;
    const load = async () => {
      while (asking) {
        (await isServed(await lifecycle.current(context), context)) ? served++ : refused++;
        await new Promise((resolve) => setTimeout(resolve, 2));
      }
    };
    const loads = [load(), load(), load()];
    await place.put(second);
    if (subject.looks) await expect.poll(() => inForce, { timeout: 8_000 }).toEqual([first, second]);
    else await new Promise((resolve) => setTimeout(resolve, 600));
    asking = false;
    await Promise.all(loads);
    expect([served > 0, refused]).toEqual([true, 0]);
    expect(inForce).toEqual(subject.looks ? [first, second] : [first]);
    const renewals = seen.logged.filter((line) => line.startsWith('secrets_renewed'));
    expect(renewals).toHaveLength(subject.looks ? 1 : 0);
    expect(seen.logged.join('\n')).not.toContain('pseudonym key');
  });

  test('keeps the secret of before while it cannot be read or does not hold together, and says so once', async () => {
    const place = await placeOf(subject, first);
    const { lifecycle, context, seen, inForce } = begin(subject, place.variables(SECRET));
    expect(await lifecycle.ready(context)).toBeNull();
    const before = lifecycle.serving();
    await place.put(null);
    // Some stores believe an answer for a moment.
    await expect.poll(() => lifecycle.renew(), { timeout: 8_000 }).toHaveLength(1);
    expect(await lifecycle.renew()).toHaveLength(1);
    await place.put('short');
    await expect
      .poll(() => lifecycle.renew(), { timeout: 8_000 })
      .toEqual([expect.objectContaining({ variable: SECRET, accepted: 'at least 32 bytes' })]);
    expect([lifecycle.serving(), inForce]).toEqual([before, [first]]);
    expect(seen.logged.filter((line) => line.startsWith('secrets_not_renewed'))).toHaveLength(1);
    expect(seen.logged.filter((line) => line.startsWith('secrets_refused'))).toHaveLength(1);
    await place.put(second);
    await expect.poll(() => lifecycle.renew(), { timeout: 8_000 }).toBeNull();
    expect(inForce).toEqual([first, second]);
  });

  test('is not ready while a secret cannot be read, and is once it can be', async () => {
    const place = await placeOf(subject, first);
    await place.put(null);
    const { lifecycle, context } = begin(subject, place.variables(SECRET));
    expect(await lifecycle.current(context)).toBeNull();
    expect(lifecycle.problems().map(({ variable }) => variable)).toEqual([expect.stringContaining(SECRET)]);
    await place.put(first);
    await expect.poll(() => lifecycle.current(context), { timeout: 10_000, interval: 200 }).not.toBeNull();
  });

  test('reads no secret after it was closed', async () => {
    const place = await placeOf(subject, first);
    const { lifecycle, context, inForce } = begin(subject, place.variables(SECRET));
    expect(await lifecycle.ready(context)).toBeNull();
    await lifecycle.close();
    await place.put(second);
    expect(await lifecycle.renew()).toBeNull();
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(inForce).toEqual([first]);
  });
});

test('every platform has its place in the configuration', () => {
  const platforms = subjects.map(
    ({ open: openSubject, decides }) => openSubject({ ...base, ...(decides ? {} : archive) }).platform,
  );
  expect(platforms.map(({ place }) => place.platform)).toEqual(['node', 'worker', 'lambda', 'worker', 'lambda', 'cli']);
  for (const { place } of platforms) expect(loadConfig({ ...base, ...archive }, place).ok, place.platform).toBe(true);
});
