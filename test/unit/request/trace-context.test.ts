import { describe, expect, it } from 'vitest';
import { createTracePlaces, parseTraceparent } from '../../../lib/request/trace-context.ts';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const PARENT = '00f067aa0ba902b7';
const WELL_FORMED = /^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/;

describe('a valid traceparent of a trusted hop goes on', () => {
  it.each([
    [`00-${TRACE}-${PARENT}-01`, '01'],
    [`00-${TRACE}-${PARENT}-00`, '00'],
    [`00-${TRACE}-${PARENT}-03`, '03'],
    [`00-${TRACE}-${PARENT}-ff`, '03'],
    [`cc-${TRACE}-${PARENT}-01`, '01'],
    [`cc-${TRACE}-${PARENT}-01-what-the-future-will-be-like`, '01'],
  ])('%s', (inbound, flags) => {
    const { traceparent: outbound, parentSpanId } = createTracePlaces(0)(inbound, true);
    expect(parentSpanId).toBe(PARENT);
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
    const { traceparent: outbound, parentSpanId } = createTracePlaces(1)(inbound, true);
    expect(parentSpanId).toBeNull();
    expect(outbound).toMatch(WELL_FORMED);
    expect(outbound).not.toContain(TRACE);
  });
});

it('marks the asked share of new traces as sampled', () => {
  const sampled = (ratio: number) => {
    const place = createTracePlaces(ratio);
    const traces = Array.from({ length: 2000 }, () => place(null, false).traceparent);
    return traces.filter((value) => value.endsWith('-03')).length;
  };
  expect(sampled(0)).toBe(0);
  expect(sampled(1)).toBe(2000);
  expect(sampled(0.5)).toBeGreaterThan(800);
  expect(sampled(0.5)).toBeLessThan(1200);
});

it('never repeats an id, also across its pools of random octets', () => {
  const place = createTracePlaces(0);
  const ids = Array.from({ length: 1000 }, () => place(null, false).traceparent).flatMap((value) =>
    value.split('-').slice(1, 3),
  );
  expect(new Set(ids).size).toBe(2000);
});

describe('whether a trace is kept', () => {
  const flags = (ratio: number, inbound: string | null, trustedHop: boolean) =>
    createTracePlaces(ratio)(inbound, trustedHop).traceparent.slice(-2);

  it.each([
    ['a trusted hop that keeps it is followed', 0, '01', true, '01'],
    ['a trusted hop that does not is followed', 1, '00', true, '00'],
    ['a stranger cannot have itself kept', 0, '01', false, '00'],
    ['a stranger cannot hide', 1, '00', false, '01'],
    ['the flag of a random trace id stays a stranger’s own', 1, '02', false, '03'],
  ])('%s', (_, ratio, inbound, trustedHop, outbound) => {
    expect(flags(ratio, `00-${TRACE}-${PARENT}-${inbound}`, trustedHop)).toBe(outbound);
  });

  it('is drawn by lot for a stranger’s trace, whose id it could have chosen to fall into the sample', () => {
    const place = createTracePlaces(0.5);
    const inSample = `00-${'0'.repeat(31)}1-${PARENT}-01`;
    const kept = Array.from({ length: 1000 }, () => place(inSample, false).traceparent).filter((value) =>
      value.endsWith('1'),
    );
    expect(kept.length).toBeGreaterThan(350);
    expect(kept.length).toBeLessThan(650);
  });
});
