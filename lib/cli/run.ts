import { audit } from './audit/audit.ts';
import { type Command, type Commands, type Console, commandNamed, summaries, Unusable, Usage } from './command.ts';
import { checkConfig } from './config.ts';
import { doctor } from './doctor/doctor.ts';
import { egress } from './egress.ts';
import { explain } from './explain.ts';
import { failureSentence } from './failure.ts';
import { limits } from './limits.ts';
import { docs } from './pages/docs.ts';
import { policy } from './policy/policy.ts';
import { revocations, revoke } from './revocations.ts';
import { keys } from './secrets/keys.ts';
import { rotate } from './secrets/rotate.ts';
import { token } from './token.ts';

const PROGRAM = 'tgefd-authorizer';

const commands: Commands = {
  audit,
  'check-config': checkConfig,
  docs,
  doctor,
  egress,
  explain,
  keys,
  limits,
  policy,
  revocations,
  revoke,
  rotate,
  token,
};

/** Runs one command line of the program and gives its exit code. */
export async function runCommandLine(args: readonly string[], console: Console, version: string): Promise<number> {
  const [name, ...rest] = args;
  if (name === '--version') {
    console.out(version);
    return 0;
  }
  const command = commandNamed(commands, name);
  if (command === undefined) return showOverview(console, name === undefined || name === 'help' || asksForHelp(name));
  if (rest.some(asksForHelp)) {
    console.out(usageOf(command));
    return 0;
  }
  try {
    return await command.run(rest, console);
  } catch (error) {
    return showFailure(error, command, console);
  }
}

function asksForHelp(word: string): boolean {
  return word === '--help' || word === '-h';
}

function usageOf({ usage }: Command): string {
  return `usage: ${PROGRAM} ${usage}`;
}

function showOverview(console: Console, isAskedFor: boolean): number {
  const lines = [
    `${PROGRAM}: operator commands of the edge authorizer`,
    '',
    ...summaries(commands, 14),
    '',
    `${PROGRAM} COMMAND --help tells more, --version which release this is. Configuration is read from the environment (docs/reference/configuration.md).`,
  ];
  for (const line of lines) (isAskedFor ? console.out : console.err)(line);
  return isAskedFor ? 0 : 2;
}

function showFailure(error: unknown, command: Command, console: Console): number {
  if (error instanceof Usage) {
    console.err(error.message);
    console.err(usageOf(command));
    return 2;
  }
  console.err(error instanceof Unusable ? error.message : failureSentence(error, console.env));
  return 1;
}
