/** More than any table of slots of a cluster. */
const LONGEST_TABLE_BYTES = 1024 * 1024;
const SLOTS = 16_384;
const HIGHEST_PORT = 65_535;

const SLOT_TABLE = /^\*2\r\n\$7\r\ncluster\r\n\$5\r\nslots\r\n$/i;
const REDIRECT = /^-(MOVED|ASK)\b/;
const WHOLE_REDIRECT = /^-(?:MOVED|ASK) (\d{1,5}) \S*:\d{1,5}\r\n$/;

/** Whether this command asks a cluster for its table of slots. */
export function asksSlotTable(command: string | Uint8Array): boolean {
  return command.length < 64 && SLOT_TABLE.test(textOf(command));
}

/**
 * Whether ioredis can work with this reply of a cluster. It takes the shape of a table of slots and of a redirect for granted,
 * and throws outside of every promise where another comes.
 */
export function isUsable(reply: Uint8Array, isSlotTable: boolean): boolean {
  const text = textOf(reply.subarray(0, isSlotTable ? LONGEST_TABLE_BYTES : LONGEST_REDIRECT_BYTES));
  if (REDIRECT.test(text)) return Number(WHOLE_REDIRECT.exec(text)?.[1] ?? SLOTS) < SLOTS;
  if (!isSlotTable || text.startsWith('-')) return true;
  if (reply.length > LONGEST_TABLE_BYTES) return false;
  const table = parse(text, { at: 0 });
  return Array.isArray(table) && table.every(isRange);
}
const LONGEST_REDIRECT_BYTES = 512;

function isRange(range: Value): boolean {
  if (!Array.isArray(range)) return false;
  const [first, last, ...nodes] = range;
  return isNumberUpTo(first, SLOTS - 1) && isNumberUpTo(last, SLOTS - 1) && nodes.every(isNode);
}

function isNode(node: Value): boolean {
  if (!Array.isArray(node)) return false;
  const [host, port] = node;
  return (host === null || typeof host === 'string') && isNumberUpTo(port, HIGHEST_PORT);
}

function isNumberUpTo(value: Value | undefined, most: number): boolean {
  return typeof value === 'number' && value >= 0 && value <= most;
}

type Value = string | number | null | Value[];

/** Reads one value of RESP2 from text that is known to hold a whole one. */
function parse(text: string, place: { at: number }): Value {
  const type = text[place.at];
  const end = text.indexOf('\r\n', place.at);
  const line = text.slice(place.at + 1, end);
  place.at = end + 2;
  if (type === ':') return Number(line);
  if (type !== '$' && type !== '*') return line;
  const length = Number(line);
  if (length < 0) return null;
  if (type === '*') return Array.from({ length }, () => parse(text, place));
  const value = text.slice(place.at, place.at + length);
  place.at += length + 2;
  return value;
}

function textOf(bytes: string | Uint8Array): string {
  return typeof bytes === 'string' ? bytes : Buffer.from(bytes).toString('latin1');
}
