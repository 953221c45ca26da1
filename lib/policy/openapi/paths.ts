/** A path template of a description as a row can say it. */
export interface RowPath {
  readonly pattern: string;
  /** What the row says less exactly than the description, one clause each. */
  readonly notes: readonly string[];
}

/**
 * Makes the pattern of a row from a path template. A row takes whole segments, and knows neither queries nor fragments, by
 * which some descriptions tell operations of one path apart.
 *
 * @param template - base path and path template.
 * @returns the pattern, which may still be refused as a row.
 * @example
 * rowPathOf('/calls/{Sid}.json').pattern; // '/calls/{Sid}'
 */
export function rowPathOf(template: string): RowPath {
  const notes: string[] = [];
  const end = template.search(/[?#]/);
  const path = end < 0 ? template : template.slice(0, end);
  if (end >= 0)
    notes.push(`${template[end] === '?' ? 'its query' : 'what follows #'} is no part of a path: one row for all`);
  const pattern = path
    .split('/')
    .map((segment) => {
      const names = [...segment.matchAll(/\{([^{}]+)\}/g)].map(([, name = '']) => parameterOf(name));
      if (names.length === 0) return segment;
      const whole = `{${names.join('_')}}`;
      if (!/^\{[^{}]+\}$/.test(segment)) notes.push(`\`${segment}\` becomes ${whole}: a row takes whole segments`);
      return whole;
    })
    .join('/');
  return { pattern, notes };
}

/** Names of parameters as rows take them: letters, digits and `_`. */
function parameterOf(name: string): string {
  const plain = name.replace(/[^A-Za-z0-9_]/g, '_').slice(0, 60);
  return /^[A-Za-z_]/.test(plain) ? plain : `p_${plain}`;
}
