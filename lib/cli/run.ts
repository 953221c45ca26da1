import { type Entry, isGroup } from './command.ts';
import { program } from './commands.ts';
import { failureCodeOf, failureSentence } from './failure.ts';
import { Failure, Usage } from './line/failures.ts';
import { findEntry, isHelp } from './line/find.ts';
import { helpOf, PROGRAM } from './line/help.ts';
import { didYouMean } from './line/nearest.ts';
import { createOutput, type Output, type Streams } from './line/output.ts';
import { createProgress } from './line/progress.ts';
import { shownProblem, showProblems } from './problems.ts';

const NO_PROGRESS = { show: () => undefined };

/** Runs one command line of the program and gives its exit status. */
export async function runCommandLine(args: readonly string[], streams: Streams, version: string): Promise<number> {
  const words = args[0] === 'help' ? [...args.slice(1), '--help'] : args;
  const json = wordsBeforeEnd(words).includes('--json');
  const output = createOutput(streams, json, NO_PROGRESS);
  if (words[0] === '--version') return showVersion(output, version);
  const { path, entry, rest, unknown } = findEntry(program, words);
  if (unknown !== undefined && isGroup(entry)) {
    const near = didYouMean(unknown, Object.keys(entry.commands));
    return showFailure(new Usage(`there is no command ${[...path, unknown].join(' ')}${near}`), path, output);
  }
  if (words.length === 0 || wordsBeforeEnd(rest).some(isHelp)) return showHelp(path, entry, output);
  if (isGroup(entry)) return showFailure(nameMissing(path, rest), path, output);
  const ends: (() => void)[] = [];
  const progress = createProgress(streams.terminal, path.join(' '));
  try {
    return await entry.run(rest, createOutput(streams, json, progress, ends));
  } catch (error) {
    progress.end();
    return showFailure(error, path, output);
  } finally {
    progress.end();
    for (const end of ends) end();
  }
}

/** Words up to `--`, behind which no option stands. */
function wordsBeforeEnd(words: readonly string[]): readonly string[] {
  const end = words.indexOf('--');
  return end === -1 ? words : words.slice(0, end);
}

/** What is wrong with words that name no command: an unknown option before them, or nothing at all. */
function nameMissing(path: readonly string[], words: readonly string[]): Usage {
  const known = ['--json', '--help', ...(path.length === 0 ? ['--version'] : [])];
  const unknown = words.find((word) => word.startsWith('-') && !known.includes(word));
  if (unknown !== undefined) return new Usage(`there is no option ${unknown}${didYouMean(unknown, known)}`);
  return new Usage(
    path.length === 0 ? 'the name of a command is missing' : `${path.join(' ')} needs the name of a command`,
  );
}

function showVersion(output: Output, version: string): number {
  output.out(version);
  output.answer({ version });
  return 0;
}

function showHelp(path: readonly string[], entry: Entry, output: Output): number {
  for (const line of helpOf(path, entry, output)) output.out(line);
  output.answer(entry);
  return 0;
}

function showFailure(error: unknown, path: readonly string[], output: Output): number {
  const [code, message] = [failureCodeOf(error), failureSentence(error, output.env)];
  const { problems, warnings } = error instanceof Failure ? error : { problems: [], warnings: [] };
  output.answer({
    error: { code, message, ...(problems.length === 0 ? {} : { problems: problems.map(shownProblem) }) },
  });
  if (problems.length > 0) showProblems(message, problems, warnings, output);
  else output.err(output.errStyle('bad', message));
  if (code !== 'usage') return 1;
  output.err(`${[PROGRAM, ...path].join(' ')} --help tells more`);
  return 2;
}
