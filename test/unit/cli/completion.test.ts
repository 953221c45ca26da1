import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { main } from '../../../functions/cli.ts';
import { program } from '../../../lib/cli/commands.ts';
import { placesOf } from '../../../lib/cli/completion/places.ts';

let folder: string;
const scripts: Record<string, string> = {};
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'tgefd-completion-'));
  mkdirSync(join(folder, 'files'));
  writeFileSync(join(folder, 'files', 'a policy.json'), '{}');
  for (const shell of ['bash', 'zsh', 'fish']) {
    const lines: string[] = [];
    await main(['completion', shell], { env: {}, out: (line) => void lines.push(line), err: () => undefined });
    scripts[shell] = join(folder, `completion.${shell}`);
    writeFileSync(scripts[shell] ?? '', `${lines.join('\n')}\n`);
  }
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function has(shell: string): boolean {
  return spawnSync(shell, ['-c', 'exit 0']).status === 0;
}

/** What a real shell offers behind the words, the last of which is being typed. */
const ask: Readonly<Record<'bash' | 'fish', (words: readonly string[]) => string[]>> = {
  bash(words) {
    const ask = `source "$0"; COMP_WORDS=(tgefd-authorizer "$@"); COMP_CWORD=$#; _tgefd_authorizer; printf '%s\\n' "\${COMPREPLY[@]}"`;
    const { stdout, stderr } = spawnSync('bash', ['--norc', '-uc', ask, scripts.bash ?? '', ...words], {
      cwd: join(folder, 'files'),
      encoding: 'utf8',
    });
    expect(stderr).toBe('');
    return stdout.split('\n').filter((line) => line !== '');
  },
  fish(words) {
    const line = ['tgefd-authorizer', ...words].join(' ');
    const { stdout, stderr } = spawnSync(
      'fish',
      ['-N', '-c', 'source $argv[1]; complete -C $argv[2]', scripts.fish ?? '', line],
      {
        cwd: join(folder, 'files'),
        env: { ...process.env, HOME: folder, XDG_CONFIG_HOME: folder },
        encoding: 'utf8',
      },
    );
    expect(stderr).toBe('');
    return stdout.split('\n').flatMap((line) => (line === '' ? [] : [line.split('\t')[0] ?? '']));
  },
};

describe.each(['bash', 'fish'] as const)('completion by a real %s', (shell) => {
  test.skipIf(!has(shell)).each<[string, string[], string[], string[]]>([
    ['a command', ['che'], ['check-config'], ['audit']],
    ['every command', [''], ['audit', 'check-config', 'completion', 'token'], ['verify']],
    ['a command of a group', ['audit', 've'], ['verify'], ['query']],
    ['an option of a command', ['audit', 'verify', '--re'], ['--retention-days'], ['--revoke']],
    ['the values of an option', ['audit', 'query', '--outcome', ''], ['allowed', 'denied', 'would_deny'], ['--from']],
    [
      'a value behind another option',
      ['egress', 'print', '--platform', 'node', '--for', 'c'],
      ['cilium'],
      ['kubernetes'],
    ],
    ['an argument', ['rotate', 'jw'], ['jwt-secret'], ['api-key']],
    ['nothing for a value that only the caller knows', ['explain', '--path', ''], [], ['--method', 'a policy.json']],
  ])('offers %s', (_, words, offered, others) => {
    const found = ask[shell](words);
    expect(found).toEqual(expect.arrayContaining(offered));
    expect(found.filter((word) => others.includes(word))).toEqual([]);
  });
});

test.each([[['policy', 'lint', 'a']], [['policy', 'test', 'cases.yaml', '--policy', 'a']]])(
  'bash offers files behind %j',
  (words) => {
    expect(ask.bash(words)).toContain('a policy.json');
  },
);

test('bash offers what every command takes, and nothing else', () => {
  for (const { path, commands, options, operands } of placesOf(program)) {
    const words = [
      ...commands.map(([name]) => name),
      ...operands.flatMap(({ choices = [] }) => choices),
      ...options.map(([name]) => `--${name}`),
    ];
    const found = ask.bash([...path.split(' ').filter(Boolean), '']).filter((word) => word !== 'a policy.json');
    expect([path, [...found].sort()]).toEqual([path, [...words].sort()]);
  }
}, 30_000);

test.skipIf(!has('zsh'))(
  'zsh completes by the script, with the sentence of each option',
  () => {
    expect(spawnSync('zsh', ['-n', scripts.zsh ?? ''], { encoding: 'utf8' })).toMatchObject({ status: 0, stderr: '' });
    const shownBehind = (keys: string, shown: string) => {
      const asked = `zmodload zsh/zpty; zpty -b z 'TERM=dumb zsh -f -i'
      zpty -w z 'autoload -U compinit; compinit -u -D; source "${scripts.zsh}"; print REA""DY'
      zpty -r z line '*READY*'; zpty -w -n z "${keys}"; zpty -r z line "*$1*" && print found; zpty -d z`;
      return spawnSync('zsh', ['-fc', asked, 'zsh', shown], { encoding: 'utf8', timeout: 15_000 }).stdout;
    };
    expect(shownBehind('tgefd-authorizer audit query --outcome wou\t', 'would_deny')).toBe('found\n');
    expect(shownBehind('tgefd-authorizer audit verify --ret\t', '--retention-days')).toBe('found\n');
    expect(shownBehind('tgefd-authorizer revoke --k\t\t', 'Every token that this key signed.')).toBe('found\n');
  },
  60_000,
);
