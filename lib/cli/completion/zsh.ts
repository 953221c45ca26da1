// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these are the braces of a shell
import type { Group } from '../command.ts';
import { PROGRAM } from '../line/help.ts';
import { quoted } from '../line/text.ts';
import { isFile, operandWords, type Place, placesOf, takesFiles } from './places.ts';

/** Completion for zsh. */
export function zshCompletion(program: Group): string {
  const places = placesOf(program);
  return [
    `#compdef ${PROGRAM}`,
    '_tgefd_authorizer() {',
    '  local place="" at',
    '  local -a found',
    '  for ((at = 2; at < CURRENT; at++)); do',
    '    case "${place:+$place }${words[at]}" in',
    `      ${places.flatMap(({ path }) => (path === '' ? [] : [quoted(path)])).join('|')})`,
    '        place="${place:+$place }${words[at]}" ;;',
    '    esac',
    '  done',
    '  case "$place:${words[CURRENT-1]}" in',
    ...places.flatMap(valueLines),
    '  esac',
    '  case "$place" in',
    ...places.flatMap(placeLines),
    '  esac',
    '}',
    'if [ "$funcstack[1]" = _tgefd_authorizer ]; then',
    '  _tgefd_authorizer "$@"',
    'else',
    `  compdef _tgefd_authorizer ${PROGRAM}`,
    'fi',
  ].join('\n');
}

function valueLines({ path, options }: Place): string[] {
  return options.flatMap(([name, row]) => {
    if (row.type === 'boolean') return [];
    const [choices, value] = [row.choices?.map(quoted).join(' '), quoted(row.value ?? 'TEXT')];
    const found = choices ? `compadd -- ${choices}` : isFile(row) ? '_files' : `_message ${value}`;
    return [`    ${quoted(`${path}:--${name}`)}) ${found}; return ;;`];
  });
}

function described(name: string, sentence: string): string {
  return quoted(`${name.replaceAll(':', '\\:')}:${sentence}`);
}

function placeLines(place: Place): string[] {
  const { path, commands, options } = place;
  const words = operandWords(place);
  const named = commands.map(([name, summary]) => described(name, summary));
  const flags = options.map(([name, { means }]) => described(`--${name}`, means));
  return [
    `    ${quoted(path)})`,
    ...(named.length === 0 ? [] : [`      found=(${named.join(' ')})`, "      _describe 'command' found"]),
    ...(words.length === 0 ? [] : [`      compadd -- ${words.map(quoted).join(' ')}`]),
    ...(flags.length === 0 ? [] : [`      found=(${flags.join(' ')})`, "      _describe -o 'option' found"]),
    ...(takesFiles(place) ? ['      _files'] : []),
    '      ;;',
  ];
}
