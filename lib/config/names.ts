/** Edits (insert, delete, replace, swap of neighbours) that turn one name into another. */
function distance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row++) {
    const current = [row];
    for (let column = 1; column <= b.length; column++) {
      const same = a[row - 1] === b[column - 1];
      let edits = Math.min(
        (last[column] ?? 0) + 1,
        (current[column - 1] ?? 0) + 1,
        (last[column - 1] ?? 0) + (same ? 0 : 1),
      );
      if (a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1])
        edits = Math.min(edits, (beforeLast[column - 2] ?? 0) + 1);
      current.push(edits);
    }
    beforeLast = last;
    last = current;
  }
  return last[b.length] ?? 0;
}

/** The known name that a name is closest to, and by how many edits. */
export function nearest(name: string, known: Iterable<string>): { readonly name: string; readonly distance: number } {
  let best = { name: '', distance: Number.POSITIVE_INFINITY };
  for (const candidate of known) {
    const edits = distance(name, candidate);
    if (edits < best.distance) best = { name: candidate, distance: edits };
  }
  return best;
}

/** Edits up to which an unknown name is surely a slip of the pen. */
const SLIP_EDITS = 3;
/** Share of a name that may differ from one that is still near. */
const NEAR_SHARE = 0.4;

/** Variables of the Node process that have no prefix, because platforms set them. */
const UNPREFIXED = ['HOST', 'PORT'];

/** What an unknown name may have been meant to be, or null where no known name is near. */
export function nearName(
  name: string,
  known: Iterable<string>,
): { readonly name: string; readonly isSlip: boolean } | null {
  const plain = UNPREFIXED.find((each) => name === `TGEFD_${each}`);
  if (plain !== undefined) return { name: plain, isSlip: true };
  const close = nearest(name, known);
  if (close.distance <= SLIP_EDITS) return { name: close.name, isSlip: true };
  const ownLength = name.length - 'TGEFD_'.length;
  return close.distance <= ownLength * NEAR_SHARE ? { name: close.name, isSlip: false } : null;
}
