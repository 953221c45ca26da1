import { failureSentence } from '../lib/cli/failure.ts';
import type { Streams } from '../lib/cli/line/output.ts';
import { processStreams } from '../lib/cli/line/process-streams.ts';
import { runCommandLine } from '../lib/cli/run.ts';
import product from '../package.json' with { type: 'json' };

/** Runs one command line. */
export function main(args: readonly string[], streams: Streams): Promise<number> {
  return runCommandLine(args, streams, product.version);
}

/** Exit code of a program that SIGPIPE ended: never 0, since nobody saw the whole answer. */
const PIPE_CLOSED = 141;

/** How long what a command left running may keep the process, which nothing should. */
const LINGER_MS = 5_000;

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
  process.exitCode = await main(process.argv.slice(2), processStreams(process));
  setTimeout(() => process.exit(), LINGER_MS).unref();
}
