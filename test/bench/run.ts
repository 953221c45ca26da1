import { buildAll } from '../../infra/build.ts';
import { decisionGroup } from './decision.ts';
import { forwardGroup } from './forward.ts';
import { lambdaGroup } from './lambda.ts';
import { limitsGroup } from './limits.ts';
import { runLoad } from './load-run.ts';
import { nodeGroup } from './node-door.ts';
import { LOAD_CORE, pin } from './pinned.ts';
import { type Place, preparePlace } from './place.ts';
import { type Plan, run } from './rows.ts';
import { workerGroup } from './worker-door.ts';

/** `npm run bench`, `npm run bench -- <group> …`, or `npm run bench -- load [requests]`: docs/reference/performance.md says what it measures. */
const groups: Readonly<Record<string, (place: Place) => Promise<Plan | string>>> = {
  decision: decisionGroup,
  node: nodeGroup,
  worker: workerGroup,
  limits: limitsGroup,
  forward: forwardGroup,
  lambda: lambdaGroup,
};

const wanted = process.argv.slice(2);
if (wanted[0] === 'load') {
  await buildAll();
  process.exit((await runLoad(Number(wanted[1] ?? 50_000), (line) => console.log(line))) ? 0 : 1);
}
const unknown = wanted.find((name) => !Object.hasOwn(groups, name));
if (unknown !== undefined) {
  console.error(`no group ${unknown}: there are ${Object.keys(groups).join(', ')} and load`);
  process.exit(2);
}

for (const line of await buildAll()) console.log(line);
pin(process.pid, LOAD_CORE);
const place = await preparePlace();
let comparable = true;
const tokens = {
  bad: place.issuer.bad,
  hot: place.issuer.valid(64),
  fresh: (count: number) => place.issuer.valid(count),
};
try {
  for (const [name, group] of Object.entries(groups)) {
    if (wanted.length > 0 && !wanted.includes(name)) continue;
    const plan = await group(place);
    if (typeof plan === 'string') {
      console.log(`\nskipped: ${plan}`);
      continue;
    }
    try {
      comparable = (await run(plan, tokens, (line) => console.log(line))) && comparable;
    } finally {
      for (const row of plan.rows) await row.stop();
    }
  }
} finally {
  await place.stop();
}
process.exitCode = comparable ? 0 : 1;
