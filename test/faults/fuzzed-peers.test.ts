import { setTimeout as pass } from 'node:timers/promises';
import { beforeAll, expect, test } from 'vitest';
import { opensslProgram, startAuthority } from '../support/certificates.ts';
import { describeWith } from '../support/describe-with.ts';
import { fuzz } from '../support/fuzz-run.ts';
import { fuzzTargets, placeOf } from '../support/fuzz-targets.ts';
import { HTTP } from '../support/fuzzing-peer.ts';
import { issuePeerCertificates, type PeerCertificates, startTlsFuzzingPeer } from '../support/tls-fuzzing-peer.ts';

/** Printed with every failure, so that a run can be repeated. */
const seed = Number(process.env.FUZZ_SEED ?? 20261127);
const ANSWERS = 150;
/** A connection that answers in order answers nothing more after most kinds of nonsense. */
const ANSWERS_IN_ORDER = 60;
const ANSWERS_BELOW_TLS = 60;
/** One of each way to make connections; `TLS=1 npm run fuzz:peers` has all. */
const BELOW_TLS = ['upstream', 'key set', 'Redis REST', 'object store by the SDK', 'Redis TCP'];

test.each(fuzzTargets.map((target) => [target.name, target] as const))(
  `a %s that answers nonsense (seed ${seed}) is a stated failure, and the next call works`,
  async (_name, target) => {
    const answers = target.dialect === undefined ? ANSWERS : ANSWERS_IN_ORDER;
    const report = await fuzz(target, { seed, answers, width: 16 });
    expect(report.answers).toBeGreaterThanOrEqual(answers);
    expect(report.findings).toEqual([]);
  },
  180_000,
);

const openssl = await opensslProgram();
describeWith([openssl], 'below TLS', () => {
  let certificates: PeerCertificates;
  beforeAll(async () => {
    const [authority, stranger] = [await startAuthority(openssl), await startAuthority(openssl)];
    certificates = await issuePeerCertificates(authority, stranger);
    await Promise.all([authority.stop(), stranger.stop()]);
  });

  test('bytes that are no TLS behind the answer of a collector end its connection, and nothing else', async () => {
    const target = fuzzTargets.find(({ name }) => name === 'collector');
    const peer = await startTlsFuzzingPeer(seed, () => ({ body: '{}' }), HTTP, certificates);
    const call = target?.connect(placeOf(peer.port, certificates.believed));
    const outside: unknown[] = [];
    const thrown = (error: unknown) => void outside.push(error);
    process.on('uncaughtException', thrown);
    peer.only('a good answer, then random bytes');
    peer.behave(false);
    for (let turn = 0; turn < 3; turn++) await Promise.all(Array.from({ length: 8 }, () => call?.()));
    await pass(50);
    process.removeListener('uncaughtException', thrown);
    expect(outside).toEqual([]);
    await peer.stop();
  });

  test.each(fuzzTargets.filter(({ name }) => BELOW_TLS.includes(name)).map((target) => [target.name, target] as const))(
    `a %s that breaks TLS (seed ${seed}) is a stated failure, and the next call works`,
    async (_name, target) => {
      const report = await fuzz(target, { seed, answers: ANSWERS_BELOW_TLS, width: 16, certificates });
      expect(report.answers).toBeGreaterThanOrEqual(ANSWERS_BELOW_TLS);
      expect(report.findings).toEqual([]);
    },
    180_000,
  );
});
