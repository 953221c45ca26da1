import { expect, test } from 'vitest';
import { sealOf } from '../../../lib/archive/seal.ts';
import { createSigner, createVerifier, type ManifestJwk } from '../../../lib/archive/signature.ts';
import { verifyArchive } from '../../../lib/verify/verify.ts';
import { createBench, HOUR, layout, MINUTE, otherJwk, signingJwk, T0 } from './fixtures.ts';

/** Three hours under one key, which is then revoked, and one under the next. */
async function rotated() {
  const bench = createBench();
  const next = { ...(await otherJwk()), kid: 'archive-2027' };
  const hour = async (number: number, jwk: ManifestJwk) => {
    bench.decide(number * 10 + 1, number * 10 + 10);
    bench.now.ms = T0 + number * HOUR + 30 * MINUTE;
    const verifier = createVerifier([next, signingJwk]);
    const run = await bench.archive({ signer: createSigner(jwk), verifier }).run();
    bench.now.ms = T0 + (number + 1) * HOUR;
    return run.outcome;
  };
  for (const number of [0, 1, 2]) await hour(number, signingJwk);
  await hour(3, next);
  const parts = { store: bench.store, layout, verifier: createVerifier([next, signingJwk]) };
  const revoked = await sealOf(parts, 'archive-2026', T0 / 1000);
  const verify = (key: ManifestJwk) =>
    verifyArchive(
      { fromMs: null, toMs: null, expiredBeforeMs: 0 },
      { ...parts, verifier: createVerifier([next, key]), copies: null },
    );
  return { hour, revoked, verify, next };
}

function kinds({ findings }: Awaited<ReturnType<typeof verifyArchive>>) {
  return findings.map(({ kind, sequence, key }) => `${kind} ${sequence ?? key}`);
}

test('a revoked key still vouches for what it had signed: its last manifest and anchor before the next key', async () => {
  const { revoked, verify } = await rotated();
  expect(revoked).toMatchObject({
    chains: { main: { sequence: 3 } },
    anchor: { key: 'audit/anchors/year=2026/month=11/day=24/hour=12.json' },
  });
  expect(kinds(await verify({ ...signingJwk, revoked }))).toEqual([]);
});

test('what it signs afterwards is forged, in the chain and as an anchor, and does not stop the archive', async () => {
  const { hour, revoked, verify, next } = await rotated();
  await hour(4, signingJwk);
  expect(await hour(5, next)).toBe('drained');
  expect(kinds(await verify(signingJwk))).toEqual([]);
  expect(kinds(await verify({ ...signingJwk, revoked }))).toEqual([
    'anchor_forged audit/anchors/year=2026/month=11/day=24/hour=14.json',
    'manifest_forged 5',
  ]);
});

test('another manifest in the place of its last one is forged, and so is a chain that it had not begun', async () => {
  const { revoked, verify } = await rotated();
  const { main } = revoked.chains;
  const other = { sequence: 3, manifest_sha256: '0'.repeat(64) };
  expect(main).not.toEqual(other);
  expect(kinds(await verify({ ...signingJwk, revoked: { ...revoked, chains: { main: other } } }))).toEqual([
    'manifest_forged 3',
  ]);
  expect(kinds(await verify({ ...signingJwk, revoked: { revoked_at: 0 } }))).toEqual(
    expect.arrayContaining(['manifest_forged 1', 'manifest_forged 2', 'manifest_forged 3']),
  );
});

test('a member `revoked` that is not understood is never taken for none', () => {
  expect(() => createVerifier([{ ...signingJwk, revoked: true }])).toThrow('`revoked` of a verification key');
});
