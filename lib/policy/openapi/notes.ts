/** What a description says and a row cannot, about one operation or path. */
export interface Note {
  /** Operation or path. */
  readonly at: string;
  readonly text: string;
}

const namedPlaces = 3;

/**
 * The notes for people: one line for all operations of which the same is true.
 *
 * @param notes - the notes, one for each operation.
 * @returns the lines, in the order in which their texts first occur.
 * @example
 * noteLines([{ at: 'GET /a', text: 'is open' }]); // ['GET /a: is open']
 */
export function noteLines(notes: readonly Note[]): readonly string[] {
  return [...Map.groupBy(notes, ({ text }) => text)].flatMap(([text, group]) => {
    const places = group.map(({ at }) => at);
    if (places.length <= namedPlaces) return places.map((at) => `${at}: ${text}`);
    return [`${places.length} operations (${places.slice(0, namedPlaces).join(', ')}, …): ${text}`];
  });
}
