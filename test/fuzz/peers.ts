/** Many answers of the fuzzing peer for every kind of peer: `npm run fuzz:peers -- [answers] [seed] [name]`. */
import { fuzz } from '../support/fuzz-run.ts';
import { fuzzTargets } from '../support/fuzz-targets.ts';

const [answers = '10000', seed = `${Date.now() % 1_000_000}`, only = ''] = process.argv.slice(2);
let findings = 0;
for (const target of fuzzTargets.filter(({ name }) => name.includes(only))) {
  const startedMs = performance.now();
  const report = await fuzz(target, { seed: Number(seed), answers: Number(answers), width: 32 });
  findings += report.findings.length;
  const seconds = Math.round((performance.now() - startedMs) / 1000);
  console.log(JSON.stringify({ ...report, seed: Number(seed), seconds, heap_bytes: process.memoryUsage().heapUsed }));
}
process.exit(findings === 0 ? 0 : 1);
