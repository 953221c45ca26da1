import { connect } from 'node:net';

/** An answer as it stood on the wire. */
export interface RawResponse {
  readonly status: number;
  readonly reason: string;
  /** Fields in order of arrival, names as sent. */
  readonly fields: readonly (readonly [string, string])[];
  readonly body: string;
  /** Value of a field by its name in any case, repetitions joined by `, `; null where absent. */
  field(name: string): string | null;
}

/**
 * Sends exact bytes to 127.0.0.1 and reads every answer until the other side closes or nothing has come for
 * `idleMs`. A string is sent as Latin-1, so that `\xff` is one byte. For what fetch would normalise: odd targets,
 * repeated fields, absolute-form, broken framing.
 * Gives the answers in order (more than one shows request smuggling); none when the connection was cut.
 */
export async function sendRaw(port: number, bytes: string | Uint8Array, idleMs = 500): Promise<RawResponse[]> {
  const received = await new Promise<Buffer>((resolve) => {
    const chunks: Buffer[] = [];
    const socket = connect(port, '127.0.0.1');
    socket.setTimeout(idleMs);
    socket.on('data', (chunk) => chunks.push(chunk));
    socket.on('timeout', () => socket.destroy());
    socket.on('error', () => {});
    socket.on('close', () => resolve(Buffer.concat(chunks)));
    socket.write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes);
  });
  const answers: RawResponse[] = [];
  for (let rest = received; rest.length > 0; ) {
    const parsed = parseResponse(rest);
    if (parsed === null) throw new Error(`not an HTTP answer: ${rest.toString('latin1').slice(0, 200)}`);
    answers.push(parsed.response);
    rest = rest.subarray(parsed.bytes);
  }
  return answers;
}

/** One request line with fields and `Connection: close`, and the first answer to it. Throws when there was none. */
export async function requestRaw(
  port: number,
  line: string,
  fields: readonly string[] = [],
  body = '',
): Promise<RawResponse> {
  const message = [line, ...fields, 'Connection: close', '', body].join('\r\n');
  const [first] = await sendRaw(port, message, 5_000);
  if (first === undefined) throw new Error(`no answer to ${line}`);
  return first;
}

function parseResponse(bytes: Buffer): { response: RawResponse; bytes: number } | null {
  const head = bytes.indexOf('\r\n\r\n');
  const [start = '', ...lines] = bytes.subarray(0, Math.max(head, 0)).toString('latin1').split('\r\n');
  const [, status, reason = ''] = /^HTTP\/1\.[01] (\d{3}) ?(.*)$/.exec(start) ?? [];
  if (head < 0 || status === undefined) return null;
  const fields = lines.map((line) => {
    const colon = line.indexOf(':');
    return [line.slice(0, colon), line.slice(colon + 1).trim()] as const;
  });
  const field = (name: string) => {
    const values = fields.filter(([one]) => one.toLowerCase() === name.toLowerCase()).map(([, value]) => value);
    return values.length === 0 ? null : values.join(', ');
  };
  const rest = bytes.subarray(head + 4);
  const bodiless = status.startsWith('1') || status === '204' || status === '304';
  const { body, used } = bodiless
    ? { body: '', used: 0 }
    : readBody(rest, field('transfer-encoding'), field('content-length'));
  return { response: { status: Number(status), reason, fields, body, field }, bytes: head + 4 + used };
}

function readBody(rest: Buffer, coding: string | null, length: string | null): { body: string; used: number } {
  if (coding?.toLowerCase() !== 'chunked') {
    const used = Math.min(rest.length, length === null ? rest.length : Number(length));
    return { body: rest.subarray(0, used).toString('utf8'), used };
  }
  const parts: Buffer[] = [];
  let at = 0;
  for (;;) {
    const lineEnd = rest.indexOf('\r\n', at);
    const size = lineEnd < 0 ? 0 : Number.parseInt(rest.subarray(at, lineEnd).toString('latin1'), 16);
    if (!(size > 0)) break;
    parts.push(rest.subarray(lineEnd + 2, lineEnd + 2 + size));
    at = lineEnd + 2 + size + 2;
  }
  // After the last chunk: trailer fields and an empty line.
  const end = rest.indexOf('\r\n\r\n', at);
  return { body: Buffer.concat(parts).toString('utf8'), used: end < 0 ? rest.length : end + 4 };
}
