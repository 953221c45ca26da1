/**
 * Reads a time of a form: what `datetime-local` gives, taken as UTC, or epoch seconds.
 *
 * @param text - the field.
 * @returns epoch seconds; undefined where nothing is given, null where it is no time.
 */
export function secondsIn(text: string): number | undefined | null {
  if (text === '') return undefined;
  if (/^\d{1,12}$/.test(text)) return Number(text);
  const [, date, time] = /^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d(?::\d\d)?)$/.exec(text) ?? [];
  const ms = Date.parse(`${date}T${time}Z`);
  return Number.isNaN(ms) ? null : Math.floor(ms / 1000);
}
