import { loadConfig } from '../../config/load.ts';
import { type Problem, problemLine } from '../../config/problem.ts';
import { type Resolved, secretNames } from '../../config/sources.ts';
import { proveKeys } from './keys.ts';
import { type Life, type Outcome, putIntoService } from './life.ts';

/** Reads secrets again; where promises may be shared, one reading after the other. */
export function renew<Parts>(life: Life<Parts>): Promise<Outcome> {
  if (!life.platform.sharePromises) return readAgain(life);
  const renewed = (life.underWay ?? Promise.resolve()).then(() => readAgain(life));
  life.underWay = renewed;
  return renewed;
}

async function readAgain<Parts>(life: Life<Parts>): Promise<Outcome> {
  const { serving, platform } = life;
  if (serving === null || platform.secrets === null || life.closed) return null;
  try {
    const resolved = await platform.secrets.resolve();
    const outcome = await judgeAgain(life, serving, resolved);
    await life.record(resolved, life.serving && life.steps.keeper(life.serving.parts));
    return outcome;
  } catch (error) {
    const reason = error instanceof Error ? error.name : 'unknown';
    platform.log('error', 'secrets_not_renewed', { error: reason });
    return [{ variable: 'TGEFD_SECRETS_REFRESH_SEC', found: reason, accepted: 'secrets that can be read' }];
  }
}

async function judgeAgain<Parts>(
  life: Life<Parts>,
  before: NonNullable<Life<Parts>['serving']>,
  resolved: Resolved,
): Promise<Outcome> {
  const { platform, steps } = life;
  if (resolved.problems.length > 0) return keepBefore(life, 'secrets_not_renewed', resolved.problems);
  const changed = secretNames.filter((name) => resolved.env[name] !== before.env[name]);
  if (changed.length === 0) {
    life.said = '';
    return null;
  }
  const loaded = loadConfig(resolved.env, platform.place);
  if (!loaded.ok) return keepBefore(life, 'secrets_refused', loaded.problems);
  const unfit = (await proveKeys(loaded.config)) ?? [];
  if (unfit.length > 0) return keepBefore(life, 'secrets_refused', unfit);
  // Another request's reading may have taken over already.
  if (life.serving !== before || life.closed) return null;
  putIntoService(life, steps.compose(loaded.config, before.parts), resolved, before.parts);
  life.said = '';
  platform.log('info', 'secrets_renewed', { variables: changed.join(' ') });
  return null;
}

/** Prints why the secrets of before stay in force: once, until it is something else. */
function keepBefore<Parts>(life: Life<Parts>, event: string, problems: readonly Problem[]): Outcome {
  const lines = problems.map(problemLine);
  const said = lines.join('\n');
  if (said !== life.said) for (const problem of lines) life.platform.log('error', event, { problem });
  life.said = said;
  return problems;
}
