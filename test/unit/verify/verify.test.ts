import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { packBatch, unpackBatch } from '../../../lib/archive/batch.ts';
import { createSigner } from '../../../lib/archive/signature.ts';
import { createSpill } from '../../../lib/archive/spill/spill.ts';
import type { ObjectStore } from '../../../lib/storage/store.ts';
import type { VerifyReport } from '../../../lib/verify/verify.ts';
import { verifyArchive } from '../../../lib/verify/verify.ts';
import { createBench, HOUR, layout, MINUTE, otherJwk, recordAt, signingJwk, T0 } from '../archive/fixtures.ts';

function batchKey(sequence: number, hour = 10) {
  return `audit/batches/year=2026/month=11/day=24/hour=${hour}/main-000000000${sequence}.ndjson.gz`;
}

/** Five batches of ten decisions in five hours, anchored each hour, with copies of the anchors. */
async function fiveBatches() {
  const bench = createBench();
  const archive = bench.archive({ copies: bench.copies });
  for (let batch = 0; batch < 5; batch++) {
    bench.decide(batch * 10 + 1, batch * 10 + 10);
    bench.now.ms = T0 + batch * HOUR + 30 * MINUTE;
    await archive.run();
    bench.now.ms = T0 + (batch + 1) * HOUR;
  }
  const take = (key: string): Uint8Array<ArrayBuffer> => {
    const bytes = bench.objects.get(key);
    if (bytes === undefined) throw new Error(`${key} is not there`);
    return bytes;
  };
  return { ...bench, take };
}

function said({ integrity, completeness, order, findings }: VerifyReport) {
  return {
    integrity,
    completeness,
    order,
    findings: findings.map(({ kind, sequence, key }) => `${kind} ${sequence ?? key}`),
  };
}
const INTACT = { integrity: 'intact', completeness: 'intact', order: 'intact', findings: [] };

/** Packs lines again, as somebody would who changes a batch. */
async function repack(
  bytes: Uint8Array<ArrayBuffer>,
  change: (lines: string[]) => string[],
): Promise<Uint8Array<ArrayBuffer>> {
  const lines = (await unpackBatch(bytes)) ?? [];
  const stream = new Blob([`${change(lines.map(({ text }) => text)).join('\n')}\n`]).stream();
  return new Uint8Array(await new Response(stream.pipeThrough(new CompressionStream('gzip'))).arrayBuffer());
}

test('an archive that nobody touched is intact on all three counts', async () => {
  const bench = await fiveBatches();
  const report = await bench.verify({ copies: bench.copies });
  expect(said(report)).toEqual(INTACT);
  expect(report).toMatchObject({ batches: 5, records: 50, anchors: 5, findingsLeftOut: 0 });
  expect(report.chains).toEqual([
    { writer: 'main', firstSequence: 1, lastSequence: 5, batches: 5, records: 50, anchoredSequence: 5 },
  ]);
});

test('an archive that goes on during the verification is no finding', async () => {
  const bench = await fiveBatches();
  const archive = bench.archive();
  let more = 2;
  const list: ObjectStore['list'] = async (prefix, ...rest) => {
    for (; prefix === layout.batches && more > 0; more--) {
      bench.decide(100 - more * 10, 109 - more * 10);
      bench.now.ms += HOUR;
      await archive.run();
    }
    return bench.store.list(prefix, ...rest);
  };
  const parts = { store: { ...bench.store, list }, layout, verifier: bench.parts.verifier, copies: null };
  const report = await verifyArchive({ fromMs: null, toMs: null, expiredBeforeMs: 0 }, parts);
  expect([said(report), more]).toEqual([INTACT, 0]);
});

describe('tampering', () => {
  test('a byte changed', async () => {
    const bench = await fiveBatches();
    const bytes = bench.take(batchKey(2, 11));
    bytes[20] = (bytes[20] ?? 0) ^ 1;
    const report = said(await bench.verify());
    expect(report).toMatchObject({ integrity: 'violated', order: 'intact' });
    expect(report.findings).toContain('batch_altered 2');
  });

  test('a word changed in a record', async () => {
    const bench = await fiveBatches();
    bench.objects.set(
      batchKey(2, 11),
      await repack(bench.take(batchKey(2, 11)), (lines) => lines.map((line) => line.replace('allowed', 'denied'))),
    );
    expect(said(await bench.verify())).toEqual({ ...INTACT, integrity: 'violated', findings: ['batch_altered 2'] });
  });

  test('a record removed is named by its number', async () => {
    const bench = await fiveBatches();
    bench.objects.set(batchKey(3, 12), await repack(bench.take(batchKey(3, 12)), (lines) => lines.toSpliced(4, 1)));
    const report = await bench.verify();
    expect(said(report)).toEqual({
      integrity: 'violated',
      completeness: 'violated',
      order: 'intact',
      findings: ['batch_altered 3', 'record_missing 3'],
    });
    expect(report.findings[1]?.detail).toMatch(/^record 5, before \d+-\d+$/);
  });

  test('two records swapped', async () => {
    const bench = await fiveBatches();
    bench.objects.set(
      batchKey(3, 12),
      await repack(bench.take(batchKey(3, 12)), ([a, b, ...rest]) => [b ?? '', a ?? '', ...rest]),
    );
    expect(said(await bench.verify())).toEqual({
      ...INTACT,
      integrity: 'violated',
      order: 'violated',
      findings: ['batch_altered 3', 'record_misplaced 3'],
    });
  });

  test('a batch removed', async () => {
    const bench = await fiveBatches();
    bench.objects.delete(batchKey(3, 12));
    expect(said(await bench.verify())).toEqual({ ...INTACT, completeness: 'violated', findings: ['batch_missing 3'] });
  });

  test('a batch and its manifest removed', async () => {
    const bench = await fiveBatches();
    bench.objects.delete(batchKey(3, 12));
    bench.objects.delete(layout.manifest('main', 3));
    expect(said(await bench.verify())).toEqual({
      ...INTACT,
      completeness: 'violated',
      findings: ['manifest_missing 3'],
    });
  });

  test('two batches swapped', async () => {
    const bench = await fiveBatches();
    const [second, fourth] = [bench.take(batchKey(2, 11)), bench.take(batchKey(4, 13))];
    bench.objects.set(batchKey(2, 11), fourth).set(batchKey(4, 13), second);
    const report = said(await bench.verify());
    expect(report).toMatchObject({ integrity: 'violated', order: 'violated' });
    expect(report.findings).toEqual(expect.arrayContaining(['batch_misplaced 2', 'batch_misplaced 4']));
  });

  test('two manifests swapped', async () => {
    const bench = await fiveBatches();
    const [second, fourth] = [bench.take(layout.manifest('main', 2)), bench.take(layout.manifest('main', 4))];
    bench.objects.set(layout.manifest('main', 2), fourth).set(layout.manifest('main', 4), second);
    const report = said(await bench.verify());
    expect(report.order).toBe('violated');
    expect(report.findings).toEqual(expect.arrayContaining(['manifest_misplaced 2', 'manifest_misplaced 4']));
  });

  test('a manifest re-signed with another key', async () => {
    const bench = await fiveBatches();
    const payload = new TextDecoder().decode(bench.take(layout.manifest('main', 3))).split('\n')[0] ?? '';
    const forged = await createSigner(await otherJwk()).sign('manifest', payload);
    bench.objects.set(layout.manifest('main', 3), new TextEncoder().encode(forged));
    const report = said(await bench.verify());
    expect(report).toMatchObject({ integrity: 'violated', completeness: 'intact', order: 'intact' });
    expect(report.findings).toContain('manifest_forged 3');
  });

  test('a manifest re-signed under the genuine key’s id by another key', async () => {
    const bench = await fiveBatches();
    const payload = new TextDecoder().decode(bench.take(layout.manifest('main', 3))).split('\n')[0] ?? '';
    const other = { ...(await otherJwk()), kid: signingJwk.kid ?? '' };
    bench.objects.set(
      layout.manifest('main', 3),
      new TextEncoder().encode(await createSigner(other).sign('manifest', payload)),
    );
    expect(said(await bench.verify()).findings).toContain('manifest_forged 3');
  });

  test('a manifest changed under its old signature', async () => {
    const bench = await fiveBatches();
    const text = new TextDecoder().decode(bench.take(layout.manifest('main', 3)));
    bench.objects.set(
      layout.manifest('main', 3),
      new TextEncoder().encode(text.replace('"records":10', '"records":9')),
    );
    expect(said(await bench.verify()).findings).toContain('manifest_forged 3');
  });

  test('a manifest that is no document any more', async () => {
    const bench = await fiveBatches();
    bench.objects.set(layout.manifest('main', 3), new TextEncoder().encode('{}'));
    expect(said(await bench.verify()).findings).toContain('manifest_altered 3');
  });

  /** Writes a batch and its manifest anew with the genuine key, as somebody could who holds it. */
  const rewrite = async (bench: Awaited<ReturnType<typeof fiveBatches>>, sequence: number, changes: object = {}) => {
    const hour = 9 + sequence;
    const id = `${T0 + (sequence - 1) * HOUR + 5}-0`;
    const { bytes, description } = await packBatch([], [{ id, record: JSON.stringify(recordAt('d-99', T0)) }]);
    bench.objects.set(batchKey(sequence, hour), bytes);
    const payload = new TextDecoder().decode(bench.take(layout.manifest('main', sequence))).split('\n')[0] ?? '';
    const manifest = JSON.parse(payload);
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    const unpacked = description.unpackedBytes;
    manifest.object = { ...manifest.object, bytes: bytes.byteLength, sha256, records: 1, unpacked_bytes: unpacked };
    const forged = await createSigner(signingJwk).sign('manifest', JSON.stringify({ ...manifest, ...changes }));
    bench.objects.set(layout.manifest('main', sequence), new TextEncoder().encode(forged));
  };
  const withoutAnchors = (bench: Awaited<ReturnType<typeof fiveBatches>>) => {
    for (const key of [...bench.objects.keys()]) if (key.includes('/anchors/')) bench.objects.delete(key);
  };

  test('the last batch rewritten with the signing key: its anchor tells', async () => {
    const bench = await fiveBatches();
    await rewrite(bench, 5);
    expect(said(await bench.verify())).toEqual({ ...INTACT, integrity: 'violated', findings: ['manifest_replaced 5'] });
    withoutAnchors(bench);
    expect(said(await bench.verify())).toEqual(INTACT); // What is not anchored rests on the key alone.
  });

  test('a batch before it rewritten with the signing key: the next manifest tells', async () => {
    const bench = await fiveBatches();
    withoutAnchors(bench);
    await rewrite(bench, 2);
    expect(said(await bench.verify())).toEqual({ ...INTACT, integrity: 'violated', findings: ['manifest_replaced 2'] });
  });

  test('a batch that leaves out entries between it and the one before', async () => {
    const bench = await fiveBatches();
    withoutAnchors(bench);
    await rewrite(bench, 5, { after_stream_id: `${T0 + 4 * HOUR}-0` });
    expect(said(await bench.verify())).toEqual({
      ...INTACT,
      completeness: 'violated',
      findings: ['entries_skipped 5'],
    });
  });

  test('the tail cut', async () => {
    const bench = await fiveBatches();
    for (const [sequence, hour] of [
      [4, 13],
      [5, 14],
    ] as const) {
      bench.objects.delete(batchKey(sequence, hour));
      bench.objects.delete(layout.manifest('main', sequence));
    }
    expect(said(await bench.verify())).toEqual({ ...INTACT, completeness: 'violated', findings: ['tail_missing 4'] });
  });

  test('the tail cut together with its anchors is told by their copies', async () => {
    const bench = await fiveBatches();
    for (const [sequence, hour] of [
      [4, 13],
      [5, 14],
    ] as const) {
      bench.objects.delete(batchKey(sequence, hour));
      bench.objects.delete(layout.manifest('main', sequence));
      bench.objects.delete(`audit/anchors/year=2026/month=11/day=24/hour=${hour}.json`);
    }
    expect(said(await bench.verify())).toEqual(INTACT); // What nothing in the bucket names cannot be shown from it.
    const report = said(await bench.verify({ copies: bench.copies }));
    expect(report.completeness).toBe('violated');
    expect(report.findings).toContain('tail_missing 4');
    expect(report.findings.filter((finding) => finding.startsWith('anchor_missing'))).toHaveLength(2);
  });

  test('the beginning cut', async () => {
    const bench = await fiveBatches();
    bench.objects.delete(layout.manifest('main', 1));
    expect(said(await bench.verify())).toMatchObject({ completeness: 'violated', findings: ['manifest_missing 1'] });
  });

  test('a beginning that has expired is no finding', async () => {
    const bench = await fiveBatches();
    for (const [sequence, hour] of [
      [1, 10],
      [2, 11],
    ] as const) {
      bench.objects.delete(batchKey(sequence, hour));
      bench.objects.delete(layout.manifest('main', sequence));
      bench.objects.delete(`audit/anchors/year=2026/month=11/day=24/hour=${hour}.json`);
    }
    expect(said(await bench.verify({ expiredBeforeMs: T0 + 3 * HOUR }))).toEqual(INTACT);
  });

  test('a whole writer dropped', async () => {
    const bench = createBench();
    await createSpill(bench.store, layout, 1000).put(recordAt('d-9', T0));
    bench.decide(1, 3);
    bench.now.ms += 20 * MINUTE;
    await bench.archive().run();
    for (const key of [...bench.objects.keys()]) if (key.includes('main.spill')) bench.objects.delete(key);
    const report = await bench.verify();
    expect(said(report)).toMatchObject({ integrity: 'intact', completeness: 'violated' });
    expect(report.findings).toMatchObject([{ kind: 'writer_missing', writer: 'main.spill' }]);
  });

  test('an anchor removed', async () => {
    const bench = await fiveBatches();
    const key = 'audit/anchors/year=2026/month=11/day=24/hour=12.json';
    bench.objects.delete(key);
    expect(said(await bench.verify())).toEqual({
      ...INTACT,
      completeness: 'violated',
      findings: [`anchor_missing ${key}`],
    });
  });

  test('an anchor forged', async () => {
    const bench = await fiveBatches();
    const key = 'audit/anchors/year=2026/month=11/day=24/hour=12.json';
    const payload = new TextDecoder().decode(bench.take(key)).split('\n')[0] ?? '';
    bench.objects.set(key, new TextEncoder().encode(await createSigner(await otherJwk()).sign('anchor', payload)));
    const report = said(await bench.verify({ copies: bench.copies }));
    expect(report.integrity).toBe('violated');
    expect(report.findings).toEqual(expect.arrayContaining([`anchor_forged ${key}`, `anchor_altered ${key}`]));
  });

  test('a manifest’s signature does not make an anchor', async () => {
    const bench = await fiveBatches();
    const key = 'audit/anchors/year=2026/month=11/day=24/hour=12.json';
    const payload = new TextDecoder().decode(bench.take(key)).split('\n')[0] ?? '';
    bench.objects.set(key, new TextEncoder().encode(await createSigner(signingJwk).sign('manifest', payload)));
    expect(said(await bench.verify()).findings).toContain(`anchor_forged ${key}`);
  });

  test('a batch slipped in', async () => {
    const bench = await fiveBatches();
    bench.objects.set(batchKey(9, 12), bench.take(batchKey(3, 12)));
    expect(said(await bench.verify())).toEqual({
      ...INTACT,
      integrity: 'violated',
      findings: [`batch_foreign ${batchKey(9, 12)}`],
    });
  });

  test('a bomb in place of a batch is damage, not an exhausted memory', async () => {
    const bench = await fiveBatches();
    const bomb = new Blob([new Uint8Array(64 * 1024 * 1024)]).stream().pipeThrough(new CompressionStream('gzip'));
    bench.objects.set(batchKey(2, 11), new Uint8Array(await new Response(bomb).arrayBuffer()));
    expect(said(await bench.verify()).findings).toContain('batch_altered 2');
  });
});

describe('a time range', () => {
  test('looks only at batches that can hold something of it, the one that closes it included', async () => {
    const bench = await fiveBatches();
    bench.objects.delete(batchKey(1, 10));
    const { parts } = bench;
    const report = await verifyArchive(
      { fromMs: T0 + 2 * HOUR, toMs: T0 + 3 * HOUR - 1, expiredBeforeMs: 0 },
      { store: bench.store, layout, verifier: parts.verifier, copies: null },
    );
    expect(said(report)).toEqual(INTACT);
    expect(report.chains).toMatchObject([{ firstSequence: 3, lastSequence: 4, records: 20 }]);
  });
});

test('the batch that an archive is just writing is no finding', async () => {
  const bench = await fiveBatches();
  bench.objects.set(batchKey(6, 15), bench.take(batchKey(5, 14)));
  expect(said(await bench.verify())).toEqual(INTACT);
});

test('keys rotate: what the previous key signed stays genuine while it is known', async () => {
  const bench = createBench();
  const next = await otherJwk();
  const { createVerifier } = await import('../../../lib/archive/signature.ts');
  const both = createVerifier([next, signingJwk]);
  bench.decide(1, 3);
  bench.now.ms += 10 * MINUTE;
  await bench.archive().run();
  bench.decide(4, 6);
  bench.now.ms += 10 * MINUTE;
  await bench.archive({ signer: createSigner(next), verifier: both }).run();
  const verify = (verifier: typeof both) =>
    verifyArchive(
      { fromMs: null, toMs: null, expiredBeforeMs: 0 },
      { store: bench.store, layout, verifier, copies: null },
    );
  expect(said(await verify(both))).toEqual(INTACT);
  expect(said(await verify(createVerifier([next]))).findings).toContain('manifest_forged 1');
});
