import { describe, expect, test } from 'vitest';
import { createCircuitBreaker } from '../../../lib/redis/circuit-breaker.ts';

const NOW = 1_800_000_000_000;
function breaker(random = 1) {
  return createCircuitBreaker({ failures: 3, pauseMs: 1_000, maximumPauseMs: 4_000, probeMs: 150 }, () => random);
}

function opened(random?: number) {
  const one = breaker(random);
  for (let i = 0; i < 3; i++) one.failed(NOW);
  return one;
}

describe('circuit breaker', () => {
  test('stays closed for failures that are not in a row', () => {
    const one = breaker();
    for (let i = 0; i < 10; i++) {
      one.failed(NOW);
      one.failed(NOW);
      one.succeeded();
    }
    expect(one.isOpen()).toBe(false);
    expect(one.waitMs(NOW)).toBe(0);
  });

  test('opens after three failures in a row, and lets nobody wait', () => {
    const one = opened();
    expect(one.isOpen()).toBe(true);
    expect(one.waitMs(NOW)).toBe(1_000);
    expect(one.waitMs(NOW + 999)).toBe(1);
  });

  test('then lets one probe, and one only', () => {
    const one = opened();
    expect(one.waitMs(NOW + 1_000)).toBe(0);
    expect(one.waitMs(NOW + 1_000)).toBe(150);
    expect(one.waitMs(NOW + 1_100)).toBe(50);
  });

  test('a probe that was never heard of again is followed by another', () => {
    const one = opened();
    one.waitMs(NOW + 1_000);
    expect(one.waitMs(NOW + 1_150)).toBe(0);
  });

  test('a failed probe doubles the pause, up to the maximum', () => {
    const one = opened();
    let nowMs = NOW + 1_000;
    for (const pauseMs of [2_000, 4_000, 4_000]) {
      expect(one.waitMs(nowMs)).toBe(0);
      one.failed(nowMs);
      expect(one.waitMs(nowMs)).toBe(pauseMs);
      nowMs += pauseMs;
    }
  });

  test('failures of requests that were under way when it opened do not lengthen the pause', () => {
    const one = opened();
    for (let i = 0; i < 50; i++) one.failed(NOW + 100);
    expect(one.waitMs(NOW + 100)).toBe(900);
  });

  test('a success closes it and forgets the past', () => {
    const one = opened();
    one.waitMs(NOW + 1_000);
    one.succeeded();
    expect(one.isOpen()).toBe(false);
    one.failed(NOW + 2_000);
    expect(one.waitMs(NOW + 2_000)).toBe(0);
  });

  test('isolates do not probe in step', () => {
    expect(opened(0).waitMs(NOW)).toBe(500);
    expect(opened(0.5).waitMs(NOW)).toBe(750);
  });
});
