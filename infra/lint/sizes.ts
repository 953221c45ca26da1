import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** A file of the repository and its number of lines. */
export interface SourceFile {
  readonly path: string;
  readonly lines: number;
}

const MOST_LINES = 250;
const MOST_LINES_OF_AN_ENTRY = 60;
const MOST_FILES = 14;

/** What is too large: files of what is deployed, entries, and folders of lib/. Biome counts the lines of functions. */
export function tooLarge(files: readonly SourceFile[]): string[] {
  return [...longFiles(files), ...fullFolders(files)];
}

function longFiles(files: readonly SourceFile[]): string[] {
  return files.flatMap(({ path, lines }) => {
    if (path.startsWith('functions/') && lines > MOST_LINES_OF_AN_ENTRY)
      return `${path}: ${lines} lines, at most ${MOST_LINES_OF_AN_ENTRY}: move the work into lib/adapter or lib/platform`;
    return lines > MOST_LINES ? `${path}: ${lines} lines, at most ${MOST_LINES}: give a part a file of its own` : [];
  });
}

function fullFolders(files: readonly SourceFile[]): string[] {
  const folders = Map.groupBy(
    files.filter(({ path }) => path.startsWith('lib/')),
    ({ path }) => dirname(path),
  );
  return [...folders].flatMap(([folder, { length }]) =>
    length > MOST_FILES
      ? `${folder}: ${length} files, at most ${MOST_FILES}: put what belongs together into a folder`
      : [],
  );
}

/** The source files of functions/, lib/ and infra/; tests aside. */
function sourceFiles(root: string): SourceFile[] {
  const listed = execFileSync(
    'git',
    ['ls-files', '--cached', '--others', '--exclude-standard', 'functions', 'lib', 'infra'],
    {
      cwd: root,
    },
  );
  return listed
    .toString()
    .split('\n')
    .filter((path) => /\.(ts|tsx|mjs)$/.test(path) && !path.includes('/test/') && existsSync(join(root, path)))
    .map((path) => ({ path, lines: readFileSync(join(root, path), 'utf8').trimEnd().split('\n').length }));
}

if (import.meta.main) {
  const faults = tooLarge(sourceFiles(join(import.meta.dirname, '../..')));
  for (const fault of faults) console.error(fault);
  if (faults.length > 0) process.exitCode = 1;
}
