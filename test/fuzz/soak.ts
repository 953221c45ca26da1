/** Half an hour of load under faults at random: `npm run soak -- [seconds] [requests a second] [seed]`. */
import { dirname, join } from 'node:path';
import { redisProgram } from '../support/redis.ts';
import { soak } from '../support/soak/soak.ts';

const [seconds = '1800', perSecond = '150', seed = `${Date.now() % 1_000_000}`] = process.argv.slice(2);
const bundle = join(dirname(dirname(import.meta.dirname)), 'dist/node.js');
const report = await soak(await redisProgram(), {
  seed: Number(seed),
  seconds: Number(seconds),
  perSecond: Number(perSecond),
  bundle,
  onSample: (sample) => console.log(sample),
});
console.log(JSON.stringify(report, null, 1));
const isGood = Object.keys(report.findings).length === 0 && report.lost === 0 && report.twice === 0;
process.exit(isGood && !report.archive.includes('violated') ? 0 : 1);
