import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { generatedFrom, markdownTable } from './table.ts';

const REGISTRATION =
  /\.(counter|counterOf|gauge|histogram)\(\s*(?:'(tgefd_\w+)'|(CREDENTIAL_METRIC)),\s*(?:'([^']+)'|"([^"]+)")(?:,\s*\{([^}]*)\})?/g;

interface Metric {
  readonly name: string;
  readonly type: string;
  readonly labels: readonly string[];
  readonly help: string;
}

/** Names of the members of an object as it is written, with or without values. */
function labelsOf(members: string): string[] {
  const withoutValues = members.replaceAll(/:[^,[]*(\[[\s\S]*?\]+\)?\]?)?/g, '');
  return withoutValues
    .split(',')
    .map((part) => part.trim())
    .filter((part) => /^\w+$/.test(part));
}

/** Every metric that the source registers. */
export function metricsOf(source: string): Metric[] {
  return [...source.matchAll(REGISTRATION)].map(([, type = '', name, , single, double, labels = '']) => ({
    name: name ?? 'tgefd_credential_used_total',
    type: type === 'counterOf' ? 'counter' : type,
    labels: labelsOf(labels),
    help: single ?? double ?? '',
  }));
}

/** `docs/reference/metrics.md`: every metric, from the lines that register them below `folder`. */
export function metricsPage(folder = 'lib'): string {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'));
  const metrics = files
    .flatMap((file) => metricsOf(readFileSync(join(folder, file), 'utf8')))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
  return `${[
    '# Metrics',
    '',
    generatedFrom('lib'),
    '',
    '`GET /_authorizer/metrics` in the Prometheus text format, with `TGEFD_METRICS_ENABLED=true`. Label values come from closed',
    'lists; any other value is counted as `other`, so no caller can grow the page. `endpoint` is the action of a row, never a path.',
    'A gauge that cannot be read is left out. [Watch it](../guides/observe.md) has alerts and a dashboard.',
    '',
    ...markdownTable(
      ['metric', 'type', 'labels', 'meaning'],
      metrics.map(({ name, type, labels, help }) => [
        `\`${name}\``,
        type,
        labels.map((label) => `\`${label}\``).join(', '),
        help,
      ]),
    ),
  ].join('\n')}\n`;
}
