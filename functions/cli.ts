import { audit } from '../lib/cli/audit/audit.ts';
import { type Command, type Console, Unusable, Usage } from '../lib/cli/command.ts';
import { checkConfig, docs } from '../lib/cli/config.ts';
import { doctor } from '../lib/cli/doctor/doctor.ts';
import { egress } from '../lib/cli/egress.ts';
import { explain } from '../lib/cli/explain.ts';
import { failureSentence } from '../lib/cli/failure.ts';
import { limits } from '../lib/cli/limits.ts';
import { policy } from '../lib/cli/policy/policy.ts';
import { revocations, revoke } from '../lib/cli/revocations.ts';
import { keys } from '../lib/cli/secrets/keys.ts';
import { rotate } from '../lib/cli/secrets/rotate.ts';
import { token } from '../lib/cli/token.ts';
import product from '../package.json' with { type: 'json' };

const commands: Readonly<Record<string, Command>> = {
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

function asksForHelp(word: string) {
  return word === '--help' || word === '-h';
}

function overview(): string[] {
  return [
    'tgefd-authorizer: operator commands of the edge authorizer',
    '',
    ...Object.entries(commands).map(([name, { summary }]) => `  ${name.padEnd(14)} ${summary}`),
    '',
    'tgefd-authorizer COMMAND --help tells more, --version which release this is. Configuration is read from the environment (docs/configuration.md).',
  ];
}

/** Runs one command line. */
export async function main(args: readonly string[], console: Console): Promise<number> {
  const [name, ...rest] = args;
  if (name === '--version') {
    console.out(product.version);
    return 0;
  }
  const command = name !== undefined && Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (!command) {
    const asked = name === undefined || name === 'help' || asksForHelp(name);
    for (const line of overview()) (asked ? console.out : console.err)(line);
    return asked ? 0 : 2;
  }
  if (rest.some(asksForHelp)) {
    console.out(`usage: tgefd-authorizer ${command.usage}`);
    return 0;
  }
  try {
    return await command.run(rest, console);
  } catch (error) {
    if (error instanceof Unusable) {
      console.err(error.message);
      return 1;
    }
    if (!(error instanceof Usage)) {
      console.err(failureSentence(error, console.env));
      return 1;
    }
    console.err(error.message);
    console.err(`usage: tgefd-authorizer ${command.usage}`);
    return 2;
  }
}

/** Exit code of a program that SIGPIPE ended: never a yes, since nobody saw the whole answer. */
const UNHEARD = 141;

if (import.meta.main) {
  // A reader that has seen enough (`| head`) is no fault, and no reason for a stack trace.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    process.exit(UNHEARD);
  });
  // A library may throw where no command can catch it; its source is no answer to an operator.
  process.on('uncaughtException', (error) => {
    process.stderr.write(`${failureSentence(error, process.env)}\n`);
    process.exit(1);
  });
  const pipe = (stream: NodeJS.WriteStream) => (line: string) => void stream.write(`${line}\n`);
  process.exitCode = await main(process.argv.slice(2), {
    env: process.env,
    out: pipe(process.stdout),
    err: pipe(process.stderr),
  });
}
