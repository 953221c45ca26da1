import type { Log } from '../../decision/ports.ts';

type Stream = Pick<NodeJS.WriteStream, 'write' | 'on'>;

/** Lines that a stream did not take, since the start. */
let lost = 0;

export function lostLines(): number {
  return lost;
}

const guarded = new WeakSet<Stream>();
/** Streams whose last write failed; they are tried again with the next line. */
const failing = new WeakSet<Stream>();

/**
 * Writes one line to stdout or stderr. A reader that went away (EPIPE) or a full disk never ends the process: the line is
 * counted, the next is tried again, and the other stream is told once.
 */
export function writeLine(stream: Stream, line: string, other: Stream | null = null): void {
  guard(stream, other);
  try {
    stream.write(`${line}\n`, (error) => {
      if (!error) failing.delete(stream);
    });
  } catch {
    lost += 1; // A file as stdout is written to at once.
  }
}

function guard(stream: Stream, other: Stream | null): void {
  if (guarded.has(stream)) return;
  guarded.add(stream);
  stream.on('error', (error: NodeJS.ErrnoException) => {
    lost += 1;
    if (failing.has(stream)) return;
    failing.add(stream);
    const facts = { type: 'log', ts: new Date().toISOString(), level: 'error', event: 'log_stream_failed' };
    if (other !== null && !failing.has(other))
      writeLine(other, JSON.stringify({ ...facts, error: error.code ?? error.name }));
  });
}

/** A log of JSON lines: what matters to nobody yet goes to stdout, the rest to stderr. */
export function createStreamLog(streams: { readonly stdout: Stream; readonly stderr: Stream }): Log {
  return (level, event, facts) => {
    const line = JSON.stringify({ type: 'log', ts: new Date().toISOString(), level, event, ...facts });
    const [to, other] = level === 'info' ? [streams.stdout, streams.stderr] : [streams.stderr, streams.stdout];
    writeLine(to, line, other);
  };
}
