/** `14:03:27` UTC. */
export function clockTime(ms: number): string {
  return new Date(ms).toISOString().slice(11, 19);
}

/** `2026-11-27 14:03:27` UTC. */
export function dateTime(ms: number): string {
  return new Date(ms).toISOString().slice(0, 19).replace('T', ' ');
}

/** A whole number with a thin space between thousands. */
export function count(value: number): string {
  return String(Math.round(value)).replace(/\B(?=(\d{3})+$)/g, '\u202f');
}

/** A share of a whole in per cent, `<1` where it would be none. */
export function share(part: number, whole: number): string {
  if (whole === 0 || part === 0) return '0 %';
  const percent = (part / whole) * 100;
  return percent < 1 ? '<1 %' : `${Math.round(percent)} %`;
}

/** A duration in the largest unit that fits: `45 s`, `12 min`, `3 h`, `8 d`. */
export function duration(seconds: number): string {
  const rounded = Math.max(0, Math.round(seconds));
  if (rounded < 120) return `${rounded} s`;
  if (rounded < 7_200) return `${Math.round(rounded / 60)} min`;
  if (rounded < 172_800) return `${Math.round(rounded / 3_600)} h`;
  return `${Math.round(rounded / 86_400)} d`;
}

/** Text of somebody else with every character visible: controls and marks of direction would change how a line reads. */
export function visible(text: string, maximum = 200): string {
  const shown = text.replace(
    /[\p{Cc}\p{Cf}\p{Co}\p{Cn}\u2028\u2029]/gu,
    (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`,
  );
  return shown.length > maximum ? `${shown.slice(0, maximum - 1)}…` : shown;
}
