import type { Console } from '../lib/cli/command.ts';
import { failureSentence } from '../lib/cli/failure.ts';
import { runCommandLine } from '../lib/cli/run.ts';
import product from '../package.json' with { type: 'json' };

/** Runs one command line. */
export function main(args: readonly string[], console: Console): Promise<number> {
  return runCommandLine(args, console, product.version);
}

/** Exit code of a program that SIGPIPE ended: never 0, since nobody saw the whole answer. */
const PIPE_CLOSED = 141;

if (import.meta.main) {
  // A reader may stop early (`| head`): that is no fault and needs no stack trace.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    process.exit(PIPE_CLOSED);
  });
  // A library may throw where no command can catch it. The operator gets one sentence, not its source.
  process.on('uncaughtException', (error) => {
    process.stderr.write(`${failureSentence(error, process.env)}\n`);
    process.exit(1);
  });
  const linesTo = (stream: NodeJS.WriteStream) => (line: string) => void stream.write(`${line}\n`);
  process.exitCode = await main(process.argv.slice(2), {
    env: process.env,
    out: linesTo(process.stdout),
    err: linesTo(process.stderr),
  });
}
