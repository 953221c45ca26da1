import { execFile } from 'node:child_process';
import { chmod, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

const ROOT = dirname(dirname(import.meta.dirname));
const STEPS = ['detect', 'stop', 'prove'] as const;
export type Step = (typeof STEPS)[number];

/** One compromise of docs/guides/secrets.md: its shell commands by step, each as it stands on the page. */
export type Runbook = Readonly<Record<Step, string>>;

/** Every compromise of the page, by its heading. Throws where a block has a line before its first step. */
export async function readRunbooks(): Promise<ReadonlyMap<string, Runbook>> {
  const page = await readFile(join(ROOT, 'docs/guides/secrets.md'), 'utf8');
  const [, part = ''] = page.split('\n## When one is compromised\n');
  const sections = (part.split('\n## ')[0] ?? '').split('\n### ').slice(1);
  return new Map(
    sections.map((section) => {
      const heading = section.slice(0, section.indexOf('\n'));
      const [, block = ''] = /```sh[^\n]*\n(.*?)```/s.exec(section) ?? [];
      return [heading, stepsOf(heading, block)];
    }),
  );
}

function stepsOf(heading: string, block: string): Runbook {
  const lines: Record<Step, string[]> = { detect: [], stop: [], prove: [] };
  let step: Step | undefined;
  for (const line of block.split('\n').filter((text) => text !== '')) {
    const named = STEPS.find((name) => line === `# ${name}`);
    if (named !== undefined) step = named;
    else if (step === undefined) throw new Error(`${heading}: ${line} belongs to no step`);
    else lines[step].push(line);
  }
  return { detect: lines.detect.join('\n'), stop: lines.stop.join('\n'), prove: lines.prove.join('\n') };
}

export interface ShellAnswer {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Runs the commands of a page as an operator's shell does, with the built `tgefd-authorizer`, up to the first that fails. */
export type OperatorShell = (commands: string, environment: Readonly<Record<string, string>>) => Promise<ShellAnswer>;

/** Makes the shell of an operator whose working folder is `folder`. Programs of clouds are not there. */
export async function operatorShell(folder: string): Promise<OperatorShell> {
  const program = join(folder, 'tgefd-authorizer');
  await writeFile(program, `#!/bin/sh\nexec "${process.execPath}" "${join(ROOT, 'dist/cli.js')}" "$@"\n`);
  await chmod(program, 0o755);
  return (commands, environment) =>
    new Promise((resolve) => {
      const options = {
        cwd: folder,
        env: {
          NODE_COMPILE_CACHE: join(folder, 'compiled'),
          PATH: `${folder}:${process.env.PATH ?? ''}`,
          ...environment,
        },
        timeout: 20_000,
      };
      execFile('bash', ['--norc', '-euc', commands], options, (error, out, err) => {
        resolve({ code: error === null ? 0 : Number(error.code ?? 1), out, err });
      });
    });
}
