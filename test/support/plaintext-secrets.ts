import { secretNames } from '../../lib/config/sources.ts';

/** Shapes of secrets that are told by their form alone. */
const SHAPES: readonly (readonly [string, RegExp])[] = [
  ['a private key in PEM', /-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----/],
  ['a private JWK', /\\?"d\\?"\s*:\s*\\?"[A-Za-z0-9_-]{40,}\\?"/],
  ['a signed token', /\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{16,}/],
  ['an AWS access key', /\b(?:AKIA|ASIA)[A-Z0-9]{16}\b/],
  ['a Vault token', /\bhv[sbr]\.[A-Za-z0-9_-]{20,}/],
  ['a token of a code host', /\b(?:gh[pousr]|glpat|npm)[_-][A-Za-z0-9_]{20,}/],
  ['a password in a URL', /\bhttps?:\/\/[^\s/:@"'<>$]+:[^\s/@"'<>$]+@/],
];

/** Where a variable has its value: `NAME=value`, `NAME: value`, `"NAME": "value"`, `NAME = "value"`. */
const NAMES = new RegExp(`["']?\\b(${secretNames.join('|')})\\b["']?\\s*[=:]\\s*(.*)$`);
/** `- name: NAME` and, on the next line, `value: …`. */
const ENTRY = new RegExp(`\\bname:\\s*["']?(${secretNames.join('|')})\\b`);
/** A value that could be a secret: twelve characters or more without a space, quoted or alone on the line. */
const VALUE = /^\\?(["'`])([^"'`\s\\]{12,})\\?\1|^([A-Za-z0-9_+/=-]{12,})\s*$/;
/** What may stand in its place: where the secret is kept, or a placeholder. */
const REFERENCE = /^(?:vault|aws-sm|cf):|^\$|^\{\{|^</;

function isPlain(name: string | undefined, text: string | undefined): boolean {
  const [, , quoted, bare] = VALUE.exec(text?.trim() ?? '') ?? [];
  const value = quoted ?? bare;
  return value !== undefined && !REFERENCE.test(value) && value !== keyOf(name ?? '');
}

/** Whether a Secret has data of its own: a line that a chart fills from values has none. */
function holdsData(document: string): boolean {
  const [, data = ''] = /^(?:data|stringData):\n((?: .*\n?)*)/m.exec(document) ?? [];
  return data.split('\n').some((line) => line.trim() !== '' && !line.includes('{{'));
}

/** The name under which a secret lies in a Kubernetes Secret: `TGEFD_REDIS_TOKEN` is `redis-token`. */
function keyOf(variable: string): string {
  return variable.replace('TGEFD_', '').toLowerCase().replaceAll('_', '-');
}

/**
 * What in a manifest, a template or a configuration file is a secret in plain sight: one line and what it seems to be for
 * each. Takes text of any of these formats. A secret of no known shape under an unknown name
 * is not found, nor is one that holds spaces.
 */
export function plaintextSecrets(text: string): string[] {
  const lines = text.split('\n');
  const found = lines.flatMap((line, index) => {
    const shapes = SHAPES.filter(([, shape]) => shape.test(line)).map(([what]) => what);
    const [, name, value] = NAMES.exec(line) ?? [];
    const entry = ENTRY.exec(line)?.[1];
    const beside = entry === undefined ? undefined : /^\s*value:\s*(.*)$/.exec(lines[index + 1] ?? '')?.[1];
    return [
      ...shapes,
      ...(isPlain(name, value) ? [`a value of ${name}`] : []),
      ...(isPlain(entry, beside) ? [`a value of ${entry}`] : []),
    ].map((what) => `line ${index + 1}: ${what}`);
  });
  const documents = text.split(/^---$/m);
  const secrets = documents.filter((each) => /^kind:\s*Secret\s*$/m.test(each) && holdsData(each));
  return [...found, ...secrets.map(() => 'a Secret with its data')];
}
