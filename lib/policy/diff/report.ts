import type { AccessChange, PolicyDifference } from './compare.ts';

/** Whether anything changes. */
export function differs({ gains, losses, others }: PolicyDifference): boolean {
  return gains.length + losses.length + others.length > 0;
}

/** Lines for people. */
export function differenceLines(difference: PolicyDifference): readonly string[] {
  if (!differs(difference)) return ['no difference'];
  const { gains, losses, others } = difference;
  return [
    ...section('Gains access', gains.map(changeText)),
    ...section('Loses access', losses.map(changeText)),
    ...section(
      'Changes',
      others.map(({ at, before, after }) => `${at}: ${before} becomes ${after}`),
    ),
  ];
}

function changeText({ endpoint, caller, before, after }: AccessChange): string {
  return `${endpoint}  ${caller}  (${before} becomes ${after})`;
}

function section(title: string, lines: readonly string[]): readonly string[] {
  return lines.length === 0 ? [] : [`${title} (${lines.length}):`, ...lines.map((line) => `  ${line}`)];
}

/** Markdown for a pull request. */
export function differenceMarkdown(difference: PolicyDifference): string {
  if (!differs(difference)) return '### Policy\n\nNo difference.\n';
  const { gains, losses, others } = difference;
  const access = (title: string, changes: readonly AccessChange[]) =>
    changes.length === 0
      ? []
      : [
          `#### ${title} (${changes.length})`,
          '',
          '| endpoint | caller | before | after |',
          '|---|---|---|---|',
          ...changes.map(({ endpoint, caller, before, after }) => row([`\`${endpoint}\``, caller, before, after])),
          '',
        ];
  const rest =
    others.length === 0
      ? []
      : [
          `#### Changes (${others.length})`,
          '',
          '| what | before | after |',
          '|---|---|---|',
          ...others.map(({ at, before, after }) => row([at, before, after])),
          '',
        ];
  return ['### Policy', '', ...access('Gains access', gains), ...access('Loses access', losses), ...rest].join('\n');
}

function row(cells: readonly string[]): string {
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|').replaceAll('\n', ' ')).join(' | ')} |`;
}
