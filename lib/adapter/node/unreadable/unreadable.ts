import type { ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Log } from '../../../decision/ports.ts';
import { type Answer, denialAnswer } from '../../../respond/denial.ts';

/** What was no request that could be decided: refused by the parser, stalled, or with an expectation nobody meets. */
export interface Unreadable {
  /** How many so far. */
  count(): number;
  /** Writes the refusal as a problem document, then ends the connection. */
  refuse(socket: Duplex, status: 400 | 408, cause: string): void;
  /** Writes an answer that was decided, then ends the connection. */
  answer(socket: Duplex, answer: Answer): void;
  /** The same as `refuse`, for a request that Node has read. */
  refuseRead(outgoing: ServerResponse, status: 400 | 417, cause: string): void;
}

/** How long a client may take to end a connection that was ended here. */
const LINGER_MS = 1_000;
/** One log line for each status in this time; the count goes on. */
const QUIET_MS = 1_000;
const PHRASES = { 400: 'Bad Request', 408: 'Request Timeout' } as const;

export function createUnreadable(parts: {
  readonly log: Log;
  newId(): string;
  readonly stopwatch: () => number;
}): Unreadable {
  const { log, newId, stopwatch } = parts;
  const quietUntilMs = new Map<number, number>();
  let count = 0;

  const note = (status: number, cause: string, requestId: string) => {
    count++;
    if (stopwatch() < (quietUntilMs.get(status) ?? 0)) return;
    quietUntilMs.set(status, stopwatch() + QUIET_MS);
    log('warn', 'request_unreadable', { status, cause, request_id: requestId, count });
  };

  return {
    count: () => count,
    refuse(socket, status, cause) {
      const requestId = newId();
      note(status, cause, requestId);
      const { headers, content } = problem(status, requestId);
      end(socket, `${status} ${PHRASES[status]}`, headers, content);
    },
    answer(socket, { status, headers, body }) {
      count++;
      end(socket, `${status} ${status === 401 ? 'Unauthorized' : 'Forbidden'}`, headers, body ?? '');
    },
    refuseRead(outgoing, status, cause) {
      const requestId = newId();
      note(status, cause, requestId);
      const { headers, content } = problem(status, requestId);
      outgoing.writeHead(status, [...headers.flat(), 'content-length', String(content.length), 'connection', 'close']);
      outgoing.end(content);
    },
  };
}

function end(socket: Duplex, status: string, headers: Answer['headers'], content: string): void {
  const lines = [`HTTP/1.1 ${status}`, ...headers.map(([name, value]) => `${name}: ${value}`)];
  const length = Buffer.byteLength(content);
  socket.end([...lines, `content-length: ${length}`, 'connection: close', '', content].join('\r\n'));
  setTimeout(() => socket.destroy(), LINGER_MS).unref();
}

/** The problem document of a request that nobody decided about. */
function problem(status: 400 | 408 | 417, requestId: string) {
  const reason = status === 408 ? 'request_stalled' : 'host_invalid';
  const { headers, body } = denialAnswer({ reason }, { requestId, authMethod: 'none' });
  return { headers, content: JSON.stringify({ ...JSON.parse(body ?? '{}'), status }) };
}
