import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';

const HANDSHAKE_GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
const TEXT = 0x1;
const CLOSE = 0x8;
const PING = 0x9;
const PONG = 0xa;

/**
 * Accepts a WebSocket (RFC 6455) and sends every message back, the close too. A message `close CODE` is answered by that close,
 * `cut` by ending the connection without one.
 * For tests: messages of one frame, no extensions, the first subprotocol offered is taken.
 */
export function echoWebSocket(request: IncomingMessage, socket: Duplex): void {
  const accept = createHash('sha1').update(`${request.headers['sec-websocket-key']}${HANDSHAKE_GUID}`).digest('base64');
  const protocol = request.headers['sec-websocket-protocol']?.split(',')[0]?.trim();
  const lines = [
    'HTTP/1.1 101 Switching Protocols',
    'Upgrade: websocket',
    'Connection: Upgrade',
    `Sec-WebSocket-Accept: ${accept}`,
  ];
  if (protocol !== undefined) lines.push(`Sec-WebSocket-Protocol: ${protocol}`);
  socket.write(`${lines.join('\r\n')}\r\n\r\n`);
  let pending = Buffer.alloc(0);
  socket.on('error', () => socket.destroy());
  socket.on('data', (chunk: Buffer) => {
    pending = Buffer.concat([pending, chunk]);
    for (let frame = readFrame(pending); frame !== null; frame = readFrame(pending)) {
      pending = pending.subarray(frame.bytes);
      const asked = frame.opcode === TEXT ? frame.payload.toString() : '';
      if (asked === 'cut') return void socket.destroy();
      if (asked.startsWith('close ')) {
        const code = Buffer.alloc(2);
        code.writeUInt16BE(Number(asked.slice(6)));
        socket.write(writeFrame(CLOSE, Buffer.concat([code, Buffer.from('of the service')])));
        continue;
      }
      socket.write(writeFrame(frame.opcode === PING ? PONG : frame.opcode, frame.payload));
      if (frame.opcode === CLOSE) socket.end();
    }
  });
}

/** The first frame of what a client sent (§5.2: masked), or null while it is incomplete. */
function readFrame(buffer: Buffer): { opcode: number; payload: Buffer; bytes: number } | null {
  if (buffer.length < 6) return null;
  const opcode = buffer.readUInt8(0) & 0x0f;
  const short = buffer.readUInt8(1) & 0x7f;
  const start = short === 127 ? 10 : short === 126 ? 4 : 2;
  if (buffer.length < start + 4) return null;
  const length = short === 127 ? Number(buffer.readBigUInt64BE(2)) : short === 126 ? buffer.readUInt16BE(2) : short;
  const bytes = start + 4 + length;
  if (buffer.length < bytes) return null;
  const mask = buffer.subarray(start, start + 4);
  const payload = Buffer.from(buffer.subarray(start + 4, bytes));
  for (const [index, byte] of payload.entries()) payload[index] = byte ^ (mask[index % 4] ?? 0);
  return { opcode, payload, bytes };
}

function writeFrame(opcode: number, payload: Buffer): Buffer {
  const first = Buffer.from([0x80 | opcode]);
  if (payload.length < 126) return Buffer.concat([first, Buffer.from([payload.length]), payload]);
  const length = Buffer.alloc(9, 127);
  length.writeBigUInt64BE(BigInt(payload.length), 1);
  return Buffer.concat([first, length, payload]);
}
