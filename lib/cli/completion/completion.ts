import { type Command, command, type Group } from '../command.ts';
import { PROGRAM } from '../line/help.ts';
import { bashCompletion } from './bash.ts';
import { fishCompletion } from './fish.ts';
import { zshCompletion } from './zsh.ts';

const shells = { bash: bashCompletion, zsh: zshCompletion, fish: fishCompletion };

/** Where each shell looks for completions by itself. */
export const completionFiles: Readonly<Record<keyof typeof shells, string>> = {
  bash: `~/.local/share/bash-completion/completions/${PROGRAM}`,
  zsh: `a folder of $fpath, as _${PROGRAM}`,
  fish: `~/.config/fish/completions/${PROGRAM}.fish`,
};

/** The command that prints the completion of a program. */
export function completionOf(program: () => Group): Command {
  return command({
    summary: 'Prints the completion of commands and options for a shell.',
    operands: [{ name: 'SHELL', count: 'one', choices: Object.keys(shells), means: 'The shell.' }],
    examples: [{ line: 'completion bash', does: 'Prints the script for bash.' }],
    json: 'An object: `shell` and `script`.',
    notes: [
      'Write the script to where the shell looks for it:',
      ...Object.entries(completionFiles).map(([shell, file]) => `  ${shell}: ${file}`),
    ],
    async run(_, console, [shell = '']) {
      const script = shells[shell as keyof typeof shells](program());
      console.answer({ shell, script });
      console.out(script);
      return 0;
    },
  });
}
