import { nearest } from '../../config/names.ts';

const SLIP_EDITS = 3;

/** The known word that was probably meant, as the end of a sentence; empty where none is near. */
export function didYouMean(word: string, known: readonly string[]): string {
  const { name, distance } = nearest(word, known);
  const isNear = distance <= Math.min(SLIP_EDITS, word.replace(/^-+/, '').length / 2);
  const longer = known.filter((each) => word.length >= 3 && each.startsWith(word));
  const meant = isNear ? name : longer.length === 1 ? longer[0] : undefined;
  return meant === undefined ? '' : `; did you mean ${meant}?`;
}
