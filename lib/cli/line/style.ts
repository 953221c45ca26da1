import { styleText } from 'node:util';

/** Formats that the commands use, by what they say. */
const FORMATS = {
  heading: 'bold',
  good: 'green',
  bad: 'red',
  weak: 'yellow',
  quiet: 'dim',
} as const;

/** Gives a text its colour; the text itself where there is none. */
export type Style = (format: keyof typeof FORMATS, text: string) => string;

/** Writes the text as it is. */
export function plainStyle(_: keyof typeof FORMATS, text: string): string {
  return text;
}

/** Writes the text in colour, whatever the stream. */
export function colourStyle(format: keyof typeof FORMATS, text: string): string {
  return styleText(FORMATS[format], text, { validateStream: false });
}

/**
 * Whether an environment allows colour on a terminal: not with a value of `NO_COLOR` (no-color.org), and not on a terminal
 * without any.
 */
export function allowsColour(env: Readonly<Record<string, string | undefined>>): boolean {
  return !env.NO_COLOR && env.TERM !== 'dumb';
}
