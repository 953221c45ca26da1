/** Nonsense for real processes, Node and workerd: `npm run fuzz:doors -- [answers] [seed] [name]`. */

import { startDoorScenarios } from '../support/fuzz-door-scenarios.ts';
import { fuzzDoor, TOO_MUCH_FOR_WORKERD } from '../support/fuzz-doors.ts';
import { startNodeDoor } from '../support/node-door.ts';
import { redisProgram } from '../support/redis.ts';
import { startWorkerDoor } from '../support/worker-door.ts';

const [answers = '300', seed = `${Date.now() % 1_000_000}`, only = ''] = process.argv.slice(2);
const { scenarios, stop } = await startDoorScenarios(await redisProgram());
let findings = 0;
for (const [door, start] of [
  ['Node', startNodeDoor],
  ['workerd', startWorkerDoor],
] as const) {
  for (const scenario of scenarios.filter(({ name }) => `${door} ${name}`.includes(only))) {
    const report = await fuzzDoor((env) => start(env), scenario, {
      seed: Number(seed),
      answers: Number(answers),
      ...(door === 'workerd' ? { without: TOO_MUCH_FOR_WORKERD } : {}),
    });
    findings += report.findings.length;
    console.log(JSON.stringify({ door, ...report, seed: Number(seed) }));
  }
}
await stop();
process.exit(findings === 0 ? 0 : 1);
