import { type Command, Usage } from '../command.ts';
import { diff } from './diff.ts';
import { hash } from './hash.ts';
import { importOpenApi } from './import.ts';
import { lintPolicy } from './lint.ts';
import { shadow } from './shadow.ts';
import { testPolicy } from './test.ts';

const commands: Readonly<Record<string, Command>> = {
  import: importOpenApi,
  lint: lintPolicy,
  test: testPolicy,
  diff,
  hash,
  shadow,
};

export const policy: Command = {
  summary: 'imports, checks, tests and compares policy documents',
  usage: [
    'policy COMMAND',
    '',
    ...Object.entries(commands).map(([name, { summary }]) => `  ${name.padEnd(10)} ${summary}`),
    '',
    ...Object.values(commands).map(({ usage }) => `  ${usage}`),
  ].join('\n'),
  async run([name, ...rest], console) {
    const command = name !== undefined && Object.hasOwn(commands, name) ? commands[name] : undefined;
    if (command === undefined) throw new Usage(name === undefined ? 'which command?' : `no command policy ${name}`);
    return command.run(rest, console);
  },
};
