import { chapters } from './chapters/chapters.ts';
import type { Variable } from './variable.ts';

function shown(value: unknown): string {
  if (value === null) return 'not set';
  if (Array.isArray(value)) return value.length === 0 ? 'empty' : `\`${value.join(',')}\``;
  if (value === '') return 'empty';
  return `\`${String(value)}\``;
}

function fallbackText({ fallback }: Variable<unknown, unknown>): string {
  const [production, development] = [shown(fallback.production), shown(fallback.development)];
  return production === development ? production : `${production} in production, ${development} in development`;
}

function cell(text: string) {
  return text.replaceAll('|', '\\|');
}

/** `docs/reference/configuration.md`, written from the table: the list of every variable, its form, default and meaning. */
export function configurationPage(): string {
  const parts = [
    '# Configuration',
    '',
    'Generated from `lib/config/chapters` by `npm run docs`; CI fails when it is stale.',
    '',
    'One invalid value makes the whole configuration invalid. Then a process does not start (Node, Lambda, CLI), or answers 503',
    '`configuration_invalid` (Worker). The log names every problem at once. An empty value counts as a value, not as absent.',
    '`npx --no tgefd-authorizer check-config` prints all problems and warnings; with `--all` it prints the effective configuration too.',
    '',
    'A variable marked *secret* has further forms. `X` stands for its name:',
    '',
    '| variable or value | meaning |',
    '|---|---|',
    '| `X_FILE` | A mounted file with the value. |',
    '| `X_PREVIOUS`, `X_PREVIOUS_FILE` | A second value that is also accepted while the secret rotates. An empty one from a file or a store counts as absent. |',
    '| `X_ROTATED_AT` | The date of the last rotation, for `TGEFD_ROTATION_MAX_AGE_DAYS`. |',
    '| `vault:mount/path#field` | A value in Vault (Node). |',
    '| `aws-sm:name#field` | A value in AWS Secrets Manager (Lambda). |',
    '| `cf:BINDING#field` | A value in the Secrets Store of Cloudflare (Worker). The variable itself may also be bound to a secret there. |',
    '',
    'See [secrets](../guides/secrets.md).',
  ];
  for (const { title, rows } of chapters) {
    parts.push('', `## ${title}`, '', '| variable | accepts | default | meaning |', '|---|---|---|---|');
    for (const variable of Object.values<Variable<unknown, unknown>>(rows)) {
      const marks = [variable.secret ? '*secret*' : '', variable.only ? `*${variable.only} only*` : '']
        .filter(Boolean)
        .join(', ');
      const aliases = variable.aliases
        ? ` Also read from ${variable.aliases.map((name) => `\`${name}\``).join(', ')}.`
        : '';
      const unit =
        variable.kind.unit && !variable.kind.accepts.includes(variable.kind.unit) ? ` (${variable.kind.unit})` : '';
      parts.push(
        `| \`${variable.name}\`${marks ? ` ${marks}` : ''} | ${cell(variable.kind.accepts)}${unit} | ${cell(fallbackText(variable))} | ${cell(variable.meaning)}${aliases} |`,
      );
    }
  }
  return `${parts.join('\n')}\n`;
}
