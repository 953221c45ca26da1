import { createWriteStream, fstatSync, openSync, statSync, type WriteStream } from 'node:fs';
import type { Log } from '../../../decision/ports.ts';

/** How soon a file that was renamed or removed is noticed, and one that could not be written is tried again. */
const LOOK_MS = 2_000;
/** Lines kept while the file cannot be written; the oldest are let go, and counted. */
const MAXIMUM_KEPT = 10_000;

/** A file that lines are appended to, whatever happens to it meanwhile. */
export interface LineFile {
  write(line: string): void;
  /** Opens the path anew: what stands there now is written to from here on. */
  reopen(): void;
  /** Lines that found no place, since the start. */
  lost(): number;
  close(): void;
}

/**
 * Appends lines to a file of mode 0600. Follows the path: a file that was renamed or removed (`logrotate`) is let go and the
 * path opened anew, within two seconds or at `reopen`. While the file cannot be written, a full disk for example, lines are
 * kept and tried again; each spell of failures is one line in the log. Never throws and never ends the process.
 *
 * @param path - the file; it is made where there is none.
 * @param log - where failures are told.
 * @returns the file, or why it cannot be written at all.
 */
export function openLineFile(path: string, log: Log): LineFile | { readonly problem: string } {
  try {
    return lineFileOn(path, openSync(path, 'a', 0o600), log);
  } catch (error) {
    return { problem: codeOf(error) };
  }
}

function codeOf(error: unknown): string {
  return (error as { code?: string }).code ?? 'unknown';
}

function lineFileOn(path: string, first: number, log: Log): LineFile {
  let stream: WriteStream | null = null;
  let failing = false;
  const backlog = createBacklog();
  const unsettled = new WeakMap<WriteStream, string[]>();

  const failed = (code: string) => {
    if (!failing) log('error', 'audit_log_failed', { error: code });
    failing = true;
  };
  const use = (descriptor: number) => {
    const opened = createWriteStream(path, { fd: descriptor });
    const underWay: string[] = [];
    opened.on('error', (error) => {
      failed(codeOf(error));
      if (stream === opened) stream = null;
      for (const line of underWay.splice(0)) backlog.keep(line);
    });
    unsettled.set(opened, underWay);
    stream = opened;
    for (const line of backlog.take()) put(opened, line);
  };
  const put = (opened: WriteStream, line: string) => {
    const underWay = unsettled.get(opened);
    underWay?.push(line);
    opened.write(`${line}\n`, (error) => {
      if (error) return;
      underWay?.splice(underWay.indexOf(line), 1);
      if (failing && stream === opened) {
        failing = false;
        log('info', 'audit_log_recovered', { lost: backlog.lost() });
      }
    });
  };
  const reopen = () => {
    let descriptor: number;
    try {
      descriptor = openSync(path, 'a', 0o600);
    } catch (error) {
      return failed(codeOf(error));
    }
    stream?.end();
    use(descriptor);
  };
  const look = () => {
    if (stream === null || hasMoved(path, stream)) reopen();
  };

  use(first);
  const timer = setInterval(look, LOOK_MS).unref();
  return {
    write: (line) => (stream === null ? backlog.keep(line) : put(stream, line)),
    reopen,
    lost: backlog.lost,
    close() {
      clearInterval(timer);
      stream?.end();
    },
  };
}

/** Lines that wait for the file; the oldest are dropped, and counted, when there are too many. */
function createBacklog() {
  const kept: string[] = [];
  let lost = 0;
  return {
    lost: (): number => lost,
    take: (): string[] => kept.splice(0),
    keep(line: string): void {
      kept.push(line);
      if (kept.length <= MAXIMUM_KEPT) return;
      kept.shift();
      lost += 1;
    },
  };
}

/** Whether the path now leads to another file than the one that is open. */
function hasMoved(path: string, stream: WriteStream): boolean {
  const { fd } = stream as unknown as { fd: number | null };
  if (fd === null) return false;
  try {
    const [there, open] = [statSync(path), fstatSync(fd)];
    return there.ino !== open.ino || there.dev !== open.dev;
  } catch {
    return true;
  }
}
