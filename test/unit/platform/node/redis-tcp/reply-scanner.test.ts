import { expect, test } from 'vitest';
import { BROKEN, PARTIAL, ReplyScanner } from '../../../../../lib/platform/node/redis-tcp/reply-scanner.ts';

const bytes = (text: string) => Buffer.from(text, 'latin1');

/** Where each reply ends, in pieces of `size` bytes; a number below zero is what came instead. */
function endsOf(text: string, size: number): number[] {
  const scanner = new ReplyScanner();
  const ends: number[] = [];
  for (let from = 0; from < text.length; from += size) {
    const piece = bytes(text.slice(from, from + size));
    for (let at = 0; at < piece.length; ) {
      const end = scanner.next(piece, at);
      if (end === BROKEN) return [...ends, BROKEN];
      if (end === PARTIAL) break;
      ends.push(from + end);
      at = end;
    }
  }
  return scanner.isWithin ? [...ends, PARTIAL] : ends;
}

test.each([
  ['a string', '+PONG\r\n', [7]],
  ['an empty string', '+\r\n', [3]],
  ['an error', '-ERR no\r\n', [9]],
  ['numbers', ':1\r\n:-22\r\n:+3\r\n', [4, 10, 15]],
  ['bulks', '$4\r\nPO\r\n\r\n$0\r\n\r\n$-1\r\n', [10, 16, 21]],
  ['an array', '*2\r\n:1\r\n$1\r\na\r\n', [15]],
  ['arrays within an array', '*2\r\n*1\r\n*0\r\n*-1\r\n+a\r\n', [17, 21]],
  ['a bulk that has not ended', '$4\r\nPON', [PARTIAL]],
  ['a string that has not ended', '+a\r\n+b\r', [4, PARTIAL]],
  ['an array that has not ended', '*2\r\n:1\r\n', [PARTIAL]],
])('%s of RESP2 ends where it ends, in pieces of any size', (_what, text, ends) => {
  for (let size = 1; size <= text.length; size++) expect(endsOf(text, size)).toEqual(ends);
});

test.each([
  ['a push', '>1\r\n_\r\n'],
  ['a null of RESP3', '_\r\n'],
  ['a map', '%1\r\n+a\r\n+b\r\n'],
  ['HTTP', 'HTTP/1.1 400 Bad Request\r\n\r\n'],
  ['a push within an array', '*1\r\n>1\r\n+a\r\n'],
  ['a number without digits', ':\r\n'],
  ['a number with two signs', ':--1\r\n'],
  ['a sign behind digits', ':1-1\r\n'],
  ['a number of too many digits', `:${'9'.repeat(20)}\r\n`],
  ['a number with a point', ':1.5\r\n'],
  ['a length below -1', '$-2\r\n'],
  ['a length of -01', '*-01\r\n'],
  ['a length with a plus', '$+4\r\nPONG\r\n'],
  ['a bulk larger than any', '$67108865\r\n'],
  ['a bulk that ends in other bytes', '$4\r\nPONG+\n'],
  ['a bulk that ends in half', '$4\r\nPONG\r+'],
  ['an array longer than any', '*1048577\r\n'],
  ['an array deeper than any', '*1\r\n'.repeat(17)],
  ['a CR alone', '+PO\rNG\r\n'],
  ['an LF alone', '+PO\nNG\r\n'],
  ['a line longer than any', `+${'a'.repeat(65_537)}`],
])('%s is no reply', (_what, text) => {
  for (const size of [1, 3, text.length]) expect(endsOf(text, size)).toEqual([BROKEN]);
});

test('arrays of many elements are one reply only up to a limit over all of them', () => {
  const inner = `*${1024 * 512}\r\n${':1\r\n'.repeat(1024 * 512)}`;
  expect(endsOf(`*2\r\n${inner}:1\r\n`, 0x10000)).toHaveLength(1);
  expect(endsOf(`*2\r\n${inner}${inner}`, 0x10000)).toEqual([BROKEN]);
});
