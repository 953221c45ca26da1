import type { Composed } from '../compose/authorizer.ts';
import { createLifecycle } from '../compose/lifecycle/lifecycle.ts';
import { authorizerSteps } from '../compose/steps.ts';
import { cliPlatform } from '../platform/cli/platform.ts';
import type { Console } from './command.ts';

/**
 * The same wired parts that a server has, for one command: no upstream, no record lines. Null, with every problem printed,
 * when the configuration does not hold together. With `trial`, nothing is spent, stored or recorded anywhere else.
 */
export async function composeForCommand(console: Console, { trial = false } = {}): Promise<Composed | null> {
  const platform = cliPlatform(console, 'gateway', trial);
  const lifecycle = createLifecycle(platform, authorizerSteps(platform));
  await lifecycle.ready({ defer: () => undefined });
  return lifecycle.serving();
}
