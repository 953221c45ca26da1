/**
 * Many answers of the fuzzing peer for every kind of peer: `npm run fuzz:peers -- [answers] [seed] [name]`. With `TLS=1`, what
 * is below HTTP and RESP is nonsense instead.
 */
import { opensslProgram, startAuthority } from '../support/certificates.ts';
import { fuzz } from '../support/fuzz-run.ts';
import { fuzzTargets } from '../support/fuzz-targets.ts';
import { issuePeerCertificates } from '../support/tls-fuzzing-peer.ts';

const [answers = '10000', seed = `${Date.now() % 1_000_000}`, only = ''] = process.argv.slice(2);
const certificates = process.env.TLS === '1' ? await issueCertificates() : null;
let findings = 0;
for (const target of fuzzTargets.filter(({ name }) => name.includes(only))) {
  if (certificates !== null && target.neverSecure) continue;
  const startedMs = performance.now();
  const tls = certificates === null ? {} : { certificates };
  const report = await fuzz(target, { seed: Number(seed), answers: Number(answers), width: 32, ...tls });
  findings += report.findings.length;
  const seconds = Math.round((performance.now() - startedMs) / 1000);
  console.log(JSON.stringify({ ...report, seed: Number(seed), seconds, heap_bytes: process.memoryUsage().heapUsed }));
}
process.exit(findings === 0 ? 0 : 1);

async function issueCertificates() {
  const openssl = await opensslProgram();
  const [authority, stranger] = [await startAuthority(openssl), await startAuthority(openssl)];
  try {
    return await issuePeerCertificates(authority, stranger);
  } finally {
    await Promise.all([authority.stop(), stranger.stop()]);
  }
}
