import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  formatTraceparent,
  inSample,
  isSampled,
  newSpanId,
  parseTraceparent,
} from '../../../lib/observe/trace-context.ts';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const SPAN = '00f067aa0ba902b7';

test.each<[string, string | null, boolean | null]>([
  ['the example of W3C Trace Context §3.2', `00-${TRACE}-${SPAN}-01`, true],
  ['an unsampled one', `00-${TRACE}-${SPAN}-00`, false],
  ['unknown flags beside sampled', `00-${TRACE}-${SPAN}-ff`, true],
  ['a later version with more after the flags', `cc-${TRACE}-${SPAN}-01-what-the-future-brings`, true],
  ['version 00 with more after the flags', `00-${TRACE}-${SPAN}-01-more`, null],
  ['a later version with text stuck to the flags', `cc-${TRACE}-${SPAN}-01.more`, null],
  ['version ff', `ff-${TRACE}-${SPAN}-01`, null],
  ['an all-zero trace id', `00-${'0'.repeat(32)}-${SPAN}-01`, null],
  ['an all-zero span id', `00-${TRACE}-${'0'.repeat(16)}-01`, null],
  ['upper case', `00-${TRACE.toUpperCase()}-${SPAN}-01`, null],
  ['two joined values', `00-${TRACE}-${SPAN}-01, 00-${TRACE}-${SPAN}-01`, null],
  ['nothing', null, null],
])('reads %s', (_, value, sampled) => {
  const context = parseTraceparent(value);
  expect(context && { ...context, flags: undefined }).toEqual(
    sampled === null ? null : { traceId: TRACE, spanId: SPAN },
  );
  expect(context && isSampled(context)).toBe(sampled);
});

test('our sampling decision replaces the flag and leaves the others', () => {
  const context = { traceId: TRACE, spanId: newSpanId(), flags: 0x02 };
  expect(parseTraceparent(formatTraceparent(context, true))).toEqual({ ...context, flags: 0x03 });
  expect(parseTraceparent(formatTraceparent({ ...context, flags: 0x03 }, false))).toEqual(context);
});

test('a ratio keeps about its share of traces, all at 1 and none at 0', () => {
  const ids = fc.sample(fc.stringMatching(/^[0-9a-f]{32}$/), { numRuns: 4000, seed: 6 });
  const share = (ratio: number) => ids.filter((id) => inSample(id, ratio)).length / ids.length;
  expect(share(1)).toBe(1);
  expect(share(0)).toBe(0);
  expect(share(0.25)).toBeGreaterThan(0.2);
  expect(share(0.25)).toBeLessThan(0.3);
  expect(inSample('f'.repeat(32), 1)).toBe(true);
});
