// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these are the braces of a shell
import type { Group } from '../command.ts';
import { PROGRAM } from '../line/help.ts';
import { quoted } from '../line/text.ts';
import { isFile, operandWords, type Place, placesOf, takesFiles } from './places.ts';

/** Completion for bash from version 3.2 on. */
export function bashCompletion(program: Group): string {
  const places = placesOf(program);
  return [
    `# bash completion of ${PROGRAM}`,
    '_tgefd_authorizer() {',
    '  local current="${COMP_WORDS[COMP_CWORD]}" previous="${COMP_WORDS[COMP_CWORD-1]}" place="" words="" files="" at',
    "  local IFS=$' \\t\\n'",
    '  COMPREPLY=()',
    '  for ((at = 1; at < COMP_CWORD; at++)); do',
    '    case "${place:+$place }${COMP_WORDS[at]}" in',
    `      ${places.flatMap(({ path }) => (path === '' ? [] : [quoted(path)])).join('|')})`,
    '        place="${place:+$place }${COMP_WORDS[at]}" ;;',
    '    esac',
    '  done',
    '  case "$place:$previous" in',
    ...places.flatMap(valueLines),
    '    *)',
    '      case "$place" in',
    ...places.map(placeLine),
    '      esac ;;',
    '  esac',
    '  COMPREPLY=($(compgen -W "$words" -- "$current"))',
    '  if [ -n "$files" ] && [ "${current#-}" = "$current" ]; then',
    "    IFS=$'\\n'",
    '    COMPREPLY+=($(compgen -f -- "$current"))',
    '    compopt -o filenames 2>/dev/null',
    '  fi',
    '  return 0',
    '}',
    `complete -F _tgefd_authorizer ${PROGRAM}`,
  ].join('\n');
}

/** What may stand behind an option that takes a value. */
function valueLines({ path, options }: Place): string[] {
  return options.flatMap(([name, row]) => {
    if (row.type === 'boolean') return [];
    const found = row.choices ? `words=${quoted(row.choices.join(' '))}` : isFile(row) ? 'files=1' : ':';
    return [`    ${quoted(`${path}:--${name}`)}) ${found} ;;`];
  });
}

function placeLine(place: Place): string {
  const { path, commands, options } = place;
  const words = [...commands.map(([name]) => name), ...operandWords(place), ...options.map(([name]) => `--${name}`)];
  return `        ${quoted(path)}) words=${quoted(words.join(' '))}${takesFiles(place) ? ' files=1' : ''} ;;`;
}
