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
    'Every invalid value makes the whole configuration invalid, and every problem is told at once: a process that would be',
    'half configured does not start (Node, Lambda, CLI) or answers 503 `configuration_invalid` (Worker). An empty value is a',
    'value, not an absence. `npx --no tgefd-authorizer check-config` prints all problems and warnings; with `--all` the effective configuration too.',
    '',
    'For every variable marked *secret*, `X_FILE` reads the value from a mounted file instead, and `X_PREVIOUS` (or',
    '`X_PREVIOUS_FILE`) holds a second value that is still accepted while it is being rotated out; an empty one from a file',
    'or a store is none. `X_ROTATED_AT` (a date) says when it was last rotated, for `TGEFD_ROTATION_MAX_AGE_DAYS`. A value may',
    'also be a reference to where the secret is kept: `vault:mount/path#field` (Node), `aws-sm:name#field` (Lambda),',
    '`cf:BINDING#field`, or the variable itself bound to a secret of the Secrets Store (Worker). See [secrets](../guides/secrets.md).',
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
