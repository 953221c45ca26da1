import { describe, expect, test } from 'vitest';
import type { EventChange, EventStore } from '../../lib/events/event-store.ts';
import { fieldOf } from '../../lib/revoke/revocation.ts';
import type { StoreUnderTest } from './admission-suite.ts';

export interface EventsUnderTest extends Pick<StoreUnderTest, 'store' | 'revocations' | 'nowMs' | 'keptId'> {
  readonly events: EventStore;
}

const SUBJECT = 'https://id.example\nalice';

/** What every store of events keeps to. */
export function eventsContract(make: () => Promise<EventsUnderTest>): void {
  describe('security events', () => {
    let count = 0;
    const begin = async () => {
      const under = await make();
      const now = Math.floor(under.nowMs() / 1000);
      const apply = async (
        action: EventChange['action'],
        seconds: number,
        options: Partial<EventChange> = {},
        key = '',
      ) => {
        count += 1;
        const change: EventChange = {
          ...{ action, kind: 'sub', id: SUBJECT, atSeconds: now + seconds, beforeSeconds: now + seconds },
          expiresAtSeconds: now + seconds + 3600,
          ...options,
        };
        const applied = await under.events.apply({ key: key || `event-${count}`, changes: [change], reason: action });
        return applied.done ? applied.value : 'failed';
      };
      const refuses = async (seconds: number | null, kind: 'sub' | 'jti' = 'sub', id = SUBJECT) => {
        const found = await under.store.ask({
          ...{ partition: null, demands: [], knownVersion: null },
          fields: [{ kind, field: fieldOf(kind, under.keptId(kind, id)) }],
          issuedAtSeconds: seconds === null ? null : now + seconds,
        });
        return found.found === 'revoked';
      };
      const revoke = (seconds: number) =>
        under.revocations.add({
          ...{ kind: 'sub', id: SUBJECT, beforeSeconds: now + seconds, expiresAtSeconds: now + 7200 },
          ...{ reason: null, createdAtSeconds: now, by: 'cli' },
        });
      return { ...under, now, apply, refuses, revoke };
    };

    test('a cut-off refuses what was issued before it, and only grows', async () => {
      const { apply, refuses } = await begin();
      expect(await apply('cut', -10)).toBe('applied');
      expect([await refuses(-11), await refuses(null), await refuses(-10)]).toEqual([true, true, false]);
      await apply('cut', -100);
      expect(await refuses(-11)).toBe(true);
      await apply('cut', -5);
      expect(await refuses(-6)).toBe(true);
    });

    test('a token is refused by its id', async () => {
      const { apply, refuses } = await begin();
      const id = 'https://id.example\ntoken-1';
      expect(await apply('cut', -10, { kind: 'jti', id, beforeSeconds: null })).toBe('applied');
      expect(await refuses(0, 'jti', id)).toBe(true);
      expect(await refuses(0, 'jti', 'https://id.example\ntoken-2')).toBe(false);
    });

    test('an event counts once', async () => {
      const { apply, refuses } = await begin();
      expect(await apply('hold', -10, {}, 'one')).toBe('applied');
      expect(await apply('free', -5, {}, 'two')).toBe('applied');
      expect(await apply('hold', -10, {}, 'one')).toBe('repeated');
      expect(await apply('hold', 0, {}, 'one')).toBe('repeated');
      expect(await refuses(-1)).toBe(false);
    });

    test('an account that is held refuses everything until it is released', async () => {
      const { apply, refuses } = await begin();
      expect(await apply('hold', -10)).toBe('applied');
      for (const seconds of [-11, 0, 1_000_000, null]) expect(await refuses(seconds)).toBe(true);
      expect(await apply('free', -5)).toBe('applied');
      expect([await refuses(-11), await refuses(null), await refuses(-10), await refuses(0)]).toEqual([
        true,
        true,
        false,
        false,
      ]);
    });

    test('of a hold and a release in the wrong order the later event holds', async () => {
      const { apply, refuses } = await begin();
      expect(await apply('free', -5)).toBe('unchanged');
      expect(await apply('hold', -10)).toBe('unchanged');
      expect(await refuses(-11)).toBe(false);
      expect(await apply('hold', -1)).toBe('applied');
      expect(await apply('free', -3)).toBe('unchanged');
      expect(await refuses(0)).toBe(true);
    });

    test('a hold is released once, and can be put again', async () => {
      const { apply, refuses } = await begin();
      await apply('hold', -10);
      await apply('free', -8);
      expect(await apply('free', -7)).toBe('unchanged');
      await apply('hold', -6);
      expect(await refuses(0)).toBe(true);
      await apply('free', -4);
      expect([await refuses(-7), await refuses(-6)]).toEqual([true, false]);
    });

    test('a cut-off before or during a hold is in force after it, whoever made it', async () => {
      const { apply, refuses, revoke } = await begin();
      await revoke(-20);
      await apply('hold', -30);
      expect(await refuses(0)).toBe(true);
      await apply('free', -1);
      expect([await refuses(-21), await refuses(-20)]).toEqual([true, false]);
      await apply('hold', 0);
      await apply('cut', -15);
      await revoke(-12);
      expect(await refuses(0)).toBe(true);
      await apply('free', 0);
      expect([await refuses(-1), await refuses(0)]).toEqual([true, false]);
    });

    test('an operator’s cut-off that is later than the hold stays after its release', async () => {
      const { apply, refuses, revoke } = await begin();
      await apply('hold', -30);
      await revoke(-10);
      await apply('free', -1);
      expect([await refuses(-11), await refuses(-10)]).toEqual([true, false]);
    });

    test('an operator takes a hold back, and its release changes nothing then', async () => {
      const { apply, refuses, revocations } = await begin();
      await apply('hold', -10);
      expect(await revocations.remove('sub', SUBJECT)).toMatchObject({ done: true, value: true });
      expect(await refuses(-11)).toBe(false);
      expect(await apply('free', -5)).toBe('unchanged');
      expect(await refuses(-11)).toBe(false);
    });

    test('snapshots learn of holds and of their release', async () => {
      const { apply, store, keptId } = await begin();
      const changesSince = async (knownVersion: string) => {
        const finding = await store.ask({
          ...{ partition: null, demands: [], fields: [], issuedAtSeconds: null },
          knownVersion,
        });
        return finding.found === 'settled' ? finding.changes : null;
      };
      await apply('hold', -10);
      const first = await changesSince('0');
      const field = fieldOf('sub', keptId('sub', SUBJECT));
      expect(first?.entries).toMatchObject([{ field, beforeSeconds: 253_402_300_799 }]);
      await apply('free', -5, { expiresAtSeconds: 0 });
      const second = await changesSince(first?.version ?? '');
      expect(second?.entries).toMatchObject([{ field }]);
      expect(second?.entries[0]?.beforeSeconds).not.toBe(253_402_300_799);
    });

    test('several changes of one event are applied together', async () => {
      const { events, refuses, now } = await begin();
      const ids = [SUBJECT, 'https://id.example\nbob'];
      const changes = ids.map((id) => ({
        ...({
          action: 'cut',
          kind: 'sub',
          id,
          atSeconds: now,
          beforeSeconds: now,
          expiresAtSeconds: now + 60,
        } as const),
      }));
      expect(await events.apply({ key: 'both', changes, reason: 'r' })).toMatchObject({ value: 'applied' });
      for (const id of ids) expect(await refuses(-1, 'sub', id)).toBe(true);
    });
  });
}
