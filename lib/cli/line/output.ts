import { allowsColour, colourStyle, plainStyle, type Style } from './style.ts';
import { aligned, wrapped } from './text.ts';

/** What the process hands in: its environment, and where lines go. */
export interface Streams {
  readonly env: Readonly<Record<string, string | undefined>>;
  out(line: string): void;
  err(line: string): void;
  /** Where a person looks on; absent where output is piped. */
  readonly terminal?: Terminal;
}

export interface Terminal {
  /** Columns of standard output, or null where it is no terminal. */
  readonly outColumns: number | null;
  readonly isErrTerminal: boolean;
  /** Shows one line below what was written, in place of the one before; none for an empty text. */
  status(text: string): void;
}

/** What a command writes with. */
export interface Output {
  readonly env: Streams['env'];
  /** Text for people on standard output; nothing with `--json`. */
  out(line: string): void;
  /** The answer for programs: one line of JSON, with `--json` only. */
  answer(value: unknown): void;
  /** A document that is the same for people and programs. */
  document(text: string): void;
  /** Notes for people, on standard error. */
  err(line: string): void;
  readonly style: Style;
  /** The same for standard error. */
  readonly errStyle: Style;
  /** Columns of the terminal, or null where the output is piped. */
  readonly columns: number | null;
  /** A table for people: with a heading on a terminal, rows alone where it is piped. */
  table(heads: readonly string[], rows: readonly (readonly string[])[]): void;
  /** A long sentence, broken at the width of a terminal. */
  sentence(text: string, indent?: string): void;
  /** Says what is being done, and how far it is. Shown on a terminal only, once it takes more than a second. Empty: nothing is shown. */
  progress(text: string): void;
  /** Calls this when the command has ended, however it did. */
  atEnd(work: () => void): void;
}

/** What the progress of a command is shown by. */
export interface Progress {
  show(text: string): void;
}

/** The output of one command. */
export function createOutput(streams: Streams, isJson: boolean, progress: Progress, ends: (() => void)[] = []): Output {
  const { env, terminal } = streams;
  const columns = isJson ? null : (terminal?.outColumns ?? null);
  const styleOn = (isTerminal: boolean) => (isTerminal && allowsColour(env) ? colourStyle : plainStyle);
  const style = styleOn(columns !== null);
  const out = isJson ? () => undefined : streams.out;
  return {
    env,
    out,
    answer: isJson ? (value) => streams.out(JSON.stringify(value)) : () => undefined,
    document: streams.out,
    err: streams.err,
    style,
    errStyle: styleOn(terminal?.isErrTerminal === true),
    columns,
    table(heads, rows) {
      if (isJson || rows.length === 0) return;
      const [head = '', ...lines] = aligned([heads, ...rows]);
      if (columns !== null) out(style('heading', head));
      for (const line of columns === null ? aligned(rows) : lines) out(line);
    },
    sentence(text, indent = '') {
      for (const line of columns === null ? [text] : wrapped(text, columns, indent)) out(line);
    },
    progress: progress.show,
    atEnd: (work) => void ends.push(work),
  };
}
