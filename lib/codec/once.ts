/** Gives what `make` makes at the first call, and the same thing ever after. */
export function once<T extends object>(make: () => T): () => T {
  let made: T | null = null;
  return () => {
    made ??= make();
    return made;
  };
}

/** Reads a text, and for the same text again gives the last result again: for what hardly differs from request to request. */
export function sameAgain<T>(read: (text: string) => T): (text: string) => T {
  let last: { readonly text: string; readonly result: T } | null = null;
  return (text) => {
    if (last === null || last.text !== text) last = { text, result: read(text) };
    return last.result;
  };
}
