import type { Group } from '../command.ts';
import { PROGRAM } from '../line/help.ts';
import { isFile, operandWords, type Place, placesOf, takesFiles } from './places.ts';

/** A text as one word of fish, between single quotes. */
function quoted(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}

/** Completion for fish. */
export function fishCompletion(program: Group): string {
  const places = placesOf(program);
  return [
    `# fish completion of ${PROGRAM}`,
    'function __tgefd_authorizer_at',
    "    set -l place ''",
    '    for word in (commandline -opc)[2..-1]',
    '        set -l next (string trim -- "$place $word")',
    `        if contains -- $next ${places.flatMap(({ path }) => (path === '' ? [] : [quoted(path)])).join(' ')}`,
    '            set place $next',
    '        end',
    '    end',
    '    test "$place" = "$argv[1]"',
    'end',
    `complete -c ${PROGRAM} -f`,
    ...places.flatMap(placeLines),
  ].join('\n');
}

function placeLines(place: Place): string[] {
  const { path, commands, options } = place;
  const at = `complete -c ${PROGRAM} -n ${quoted(`__tgefd_authorizer_at ${quoted(path)}`)}`;
  return [
    ...commands.map(([name, summary]) => `${at} -a ${quoted(name)} -d ${quoted(summary)}`),
    ...operandWords(place).map((word) => `${at} -a ${quoted(word)}`),
    ...(takesFiles(place) ? [`${at} -F`] : []),
    ...options.map(([name, row]) => {
      const { type, short, choices, means } = row;
      const value = choices ? ` -x -a ${quoted(choices.join(' '))}` : isFile(row) ? ' -r -F' : ' -x';
      const flags = `${short === undefined ? '' : ` -s ${short}`} -l ${name}${type === 'boolean' ? '' : value}`;
      return `${at}${flags} -d ${quoted(means)}`;
    }),
  ];
}
