import type { Composed } from '../compose/authorizer.ts';
import { createLifecycle } from '../compose/lifecycle/lifecycle.ts';
import { authorizerSteps } from '../compose/steps.ts';
import { cliPlatform } from '../platform/cli/platform.ts';
import { outageSentence } from '../redis/failure.ts';
import { Failure, type Output } from './command.ts';

/**
 * The same wired parts that a server has, for one command: no upstream, no record lines. With `trial`, nothing is spent,
 * stored or recorded anywhere else.
 *
 * @throws Failure with every problem, where the configuration does not hold together.
 */
export async function composeForCommand(
  console: Pick<Output, 'env' | 'err' | 'atEnd'>,
  { trial = false } = {},
): Promise<Composed> {
  const platform = cliPlatform(console, 'gateway', trial);
  const lifecycle = createLifecycle({ ...platform, fatal: () => undefined }, authorizerSteps(platform));
  await lifecycle.ready({ defer: () => undefined });
  const composed = lifecycle.serving();
  if (composed === null)
    throw new Failure('configuration_invalid', 'configuration invalid', { problems: lifecycle.problems() });
  console.atEnd(composed.carried.store.close);
  return composed;
}

/** Why the shared store did not do what a command asked for: the cause of its last trip that failed. */
export function storeFailure({ carried }: Composed): Failure {
  const why = [...(carried.store.takeRedisFailures?.().keys() ?? [])].at(-1);
  return new Failure('unavailable', why === undefined ? 'the store does not answer; try again' : outageSentence(why));
}
