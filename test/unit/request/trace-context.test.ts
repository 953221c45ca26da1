import { describe, expect, it } from 'vitest';
import { createTraceparents, parseTraceparent } from '../../../lib/request/trace-context.ts';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const PARENT = '00f067aa0ba902b7';
const WELL_FORMED = /^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/;

describe('a valid traceparent goes on', () => {
  it.each([
    [`00-${TRACE}-${PARENT}-01`, '01'],
    [`00-${TRACE}-${PARENT}-00`, '00'],
    [`00-${TRACE}-${PARENT}-03`, '03'],
    [`00-${TRACE}-${PARENT}-ff`, '03'],
    [`cc-${TRACE}-${PARENT}-01`, '01'],
    [`cc-${TRACE}-${PARENT}-01-what-the-future-will-be-like`, '01'],
  ])('%s', (inbound, flags) => {
    const outbound = createTraceparents(0)(inbound);
    expect(outbound).toMatch(WELL_FORMED);
    expect(outbound.startsWith(`00-${TRACE}-`)).toBe(true);
    expect(outbound.endsWith(`-${flags}`)).toBe(true);
    expect(outbound).not.toContain(PARENT);
  });
});

describe('an invalid one is a new trace', () => {
  it.each([
    null,
    '',
    'x',
    `ff-${TRACE}-${PARENT}-01`,
    `00-${TRACE}-${PARENT}-01-more`,
    `00-${TRACE}-${PARENT}-1`,
    `00-${TRACE.toUpperCase()}-${PARENT}-01`,
    `00-${'0'.repeat(32)}-${PARENT}-01`,
    `00-${TRACE}-${'0'.repeat(16)}-01`,
    `00-${TRACE}-${PARENT}`,
    ` 00-${TRACE}-${PARENT}-01`,
    `00-${TRACE}-${PARENT}-01, 00-${TRACE}-${PARENT}-01`,
    `cc-${TRACE}-${PARENT}-01-${'x'.repeat(300)}`,
  ])('%j', (inbound) => {
    expect(parseTraceparent(inbound)).toBeNull();
    const outbound = createTraceparents(1)(inbound);
    expect(outbound).toMatch(WELL_FORMED);
    expect(outbound).not.toContain(TRACE);
  });
});

it('marks the asked share of new traces as sampled', () => {
  const sampled = (ratio: number) => {
    const traceparent = createTraceparents(ratio);
    return Array.from({ length: 2000 }, () => traceparent(null)).filter((value) => value.endsWith('-03')).length;
  };
  expect(sampled(0)).toBe(0);
  expect(sampled(1)).toBe(2000);
  expect(sampled(0.5)).toBeGreaterThan(800);
  expect(sampled(0.5)).toBeLessThan(1200);
});

it('never repeats an id, also across its pools of random octets', () => {
  const traceparent = createTraceparents(0);
  const ids = Array.from({ length: 1000 }, () => traceparent(null)).flatMap((value) => value.split('-').slice(1, 3));
  expect(new Set(ids).size).toBe(2000);
});
