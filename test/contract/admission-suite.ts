import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { AdmissionFinding, SharedStore } from '../../lib/admit/shared-store.ts';
import type { Budget } from '../../lib/decision/outcome.ts';
import type { RevocationHandles } from '../../lib/decision/principal.ts';
import type { RevocationKind } from '../../lib/decision/reason.ts';
import { type Bucket, type Demand, exactly, type Settlement, settle } from '../../lib/limit/budgets.ts';
import { NO_VERSION, type RevocationChanges } from '../../lib/revoke/changes.ts';
import { fieldsOf, type Revocation, type RevocationOutcome, type Revocations } from '../../lib/revoke/revocation.ts';

export interface StoreUnderTest {
  readonly store: SharedStore;
  readonly revocations: Revocations;
  /** The store's clock, nearly. */
  nowMs(): number;
  /** Lets the budgets grow older. */
  age(ms: number): Promise<void>;
  /** Whether `age` moves what is kept back in time, instead of the clock forward. */
  readonly agesBackwards: boolean;
  /** Lets real or simulated time pass. */
  pass(ms: number): Promise<void>;
  /** Under which id an entry is kept. */
  keptId(kind: RevocationKind, id: string): string;
}

function partition(): string {
  return `p-${Array.from(crypto.getRandomValues(new Uint32Array(3))).join('-')}`;
}
function budget(name: string, perMinute: number, burst: number): Budget {
  return {
    name,
    perMinute,
    burst,
    onError: 'local',
  };
}

async function ask(store: SharedStore, of: string, demands: readonly Demand[]): Promise<Settlement> {
  const finding = await store.ask({
    partition: of,
    demands,
    fields: [],
    issuedAtSeconds: null,
    knownVersion: null,
  });
  if (finding.found !== 'settled') throw new Error(`the store found ${finding.found}`);
  return finding.settlement;
}

/** What every store of budgets keeps to. */
export function budgetsContract(make: () => Promise<StoreUnderTest>): void {
  describe('budgets', () => {
    test('a burst passes, exactly, and then a token comes back each interval', async () => {
      const { store, age } = await make();
      const of = budget('general', 6, 3);
      const [p, demands] = [partition(), [exactly(of)]];
      const allowed: boolean[] = [];
      for (let i = 0; i < 5; i++) allowed.push((await ask(store, p, demands)).allowed);
      expect(allowed).toEqual([true, true, true, false, false]);
      await age(10_000);
      expect((await ask(store, p, demands)).allowed).toBe(true);
      expect((await ask(store, p, demands)).allowed).toBe(false);
      await age(3_600_000);
      for (let i = 0; i < 3; i++) expect((await ask(store, p, demands)).allowed).toBe(true);
      expect((await ask(store, p, demands)).allowed).toBe(false);
    });

    test('two budgets are spent from together or not at all', async () => {
      const { store } = await make();
      const [general, heavy] = [budget('general', 1, 3), budget('heavy', 1, 1)];
      const p = partition();
      expect((await ask(store, p, [exactly(general), exactly(heavy)])).allowed).toBe(true);
      for (let i = 0; i < 5; i++) expect((await ask(store, p, [exactly(general), exactly(heavy)])).allowed).toBe(false);
      expect((await ask(store, p, [exactly(general)])).allowed).toBe(true);
      expect((await ask(store, p, [exactly(general)])).allowed).toBe(true);
      expect((await ask(store, p, [exactly(general)])).allowed).toBe(false);
    });

    test('partitions do not share, nor do budgets of one', async () => {
      const { store } = await make();
      const [p, q] = [partition(), partition()];
      const [general, heavy] = [budget('general', 1, 1), budget('heavy', 1, 1)];
      for (const [of, one] of [
        [p, general],
        [q, general],
        [p, heavy],
        [q, heavy],
      ] as const) {
        expect((await ask(store, of, [exactly(one)])).allowed).toBe(true);
        expect((await ask(store, of, [exactly(one)])).allowed).toBe(false);
      }
    });

    test('many at once get the burst and not one more', async () => {
      const { store } = await make();
      const [p, demands] = [partition(), [exactly(budget('general', 1, 10))]];
      const settlements = await Promise.all(Array.from({ length: 60 }, () => ask(store, p, demands)));
      expect(settlements.filter(({ allowed }) => allowed)).toHaveLength(10);
    });

    test('any sequence of spends, leases and renewals is settled as the arithmetic says', async () => {
      const { store, age, agesBackwards } = await make();
      const budgets = {
        general: budget('general', 600, 40),
        heavy: budget('heavy', 77, 7),
        day: { ...budget('general-day', 0, 400), period: 'day' },
        month: { ...budget('general-month', 0, 150), period: 'month' },
      } as const;
      const lease = fc.record({
        need: fc.constantFrom(0, 1) as fc.Arbitrary<0 | 1>,
        want: fc.constantFrom(0, 0, 1, 5, 100),
        windowsAgo: fc.constantFrom(-1, 0, 1, 2),
        used: fc.nat(5),
        left: fc.nat(5),
        back: fc.nat(5),
      });
      const step = fc.record({
        ageMs: fc.constantFrom(0, 0, 1, 150, 4_000, 11_000, 25_000, 86_400_000, 40 * 86_400_000),
        general: lease,
        heavy: fc.option(lease),
        day: fc.option(lease),
        month: fc.option(lease),
      });
      await fc.assert(
        fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 12 }), async (steps) => {
          const p = partition();
          const model = new Map<string, Bucket>();
          let storeMs = (await ask(store, partition(), [{ ...exactly(budgets.general), need: 0 }])).nowMs;
          for (const { ageMs, ...asked } of steps) {
            await age(ageMs);
            if (agesBackwards) {
              for (const [name, bucket] of model) model.set(name, { ...bucket, atMs: bucket.atMs - ageMs });
            }
            const demands = (['general', 'heavy', 'day', 'month'] as const).flatMap((name): Demand[] => {
              const of = asked[name];
              if (of === null) return [];
              const { windowsAgo, ...rest } = of;
              const window = windowsAgo === -1 ? -1 : Math.floor(storeMs / 10_000) - windowsAgo;
              return [{ budget: budgets[name], window, ...rest }];
            });
            const kept = demands.map(({ budget: { name } }) => model.get(name));
            const settlement = await ask(store, p, demands);
            storeMs = settlement.nowMs;
            const expected = settle(kept, demands, storeMs);
            expect(settlement).toEqual(expected.settlement);
            for (const [i, bucket] of expected.buckets.entries()) model.set(demands[i]?.budget.name ?? '', bucket);
          }
        }),
        { seed: 17, numRuns: 40 },
      );
    });
  });
}

const none: RevocationHandles = {
  tokenId: null,
  subject: null,
  issuer: null,
  issuedAtSeconds: null,
  keyId: null,
  thumbprint: null,
  apiKeyId: null,
};

function value<T>(outcome: RevocationOutcome<T>): T {
  if (!outcome.done) throw new Error('the store could not be asked');
  return outcome.value;
}

/** What every store of revocations keeps to. `make` gives an empty one. */
export function revocationsContract(make: () => Promise<StoreUnderTest>): void {
  const makeAsking = async () => {
    const made = await make();
    const revokedBy = async (handles: RevocationHandles): Promise<RevocationKind | null> => {
      const fields = await fieldsOf(handles, (kind, id) => [made.keptId(kind, id)]);
      const { issuedAtSeconds } = handles;
      const found = await made.store.ask({ partition: null, demands: [], fields, issuedAtSeconds, knownVersion: null });
      if (found.found === 'nothing') throw new Error('the store does not answer');
      return found.found === 'revoked' ? found.by : null;
    };
    return { ...made, revokedBy };
  };

  describe('revocations', () => {
    const entry = (nowMs: number, some: Partial<Revocation> = {}): Revocation => ({
      kind: 'jti',
      id: 'token-1',
      beforeSeconds: null,
      expiresAtSeconds: Math.floor(nowMs / 1000) + 3600,
      reason: 'lost "laptop" \\ é',
      createdAtSeconds: Math.floor(nowMs / 1000),
      by: 'cli',
      ...some,
    });

    test.each<[RevocationKind, keyof RevocationHandles]>([
      ['jti', 'tokenId'],
      ['kid', 'keyId'],
      ['thumbprint', 'thumbprint'],
      ['key_id', 'apiKeyId'],
    ])('by %s', async (kind, handle) => {
      const { revocations, nowMs, revokedBy } = await makeAsking();
      expect(await revokedBy({ ...none, [handle]: 'x-1' })).toBeNull();
      await revocations.add(entry(nowMs(), { kind, id: 'x-1' }));
      expect(await revokedBy({ ...none, [handle]: 'x-1' })).toBe(kind);
      expect(await revokedBy({ ...none, [handle]: 'x-2' })).toBeNull();
      const others = { tokenId: 'x-1', keyId: 'x-1', thumbprint: 'x-1', apiKeyId: 'x-1', [handle]: null };
      expect(await revokedBy({ ...none, ...others })).toBeNull();
    });

    test('a subject cut-off separates the tokens on both sides of it', async () => {
      const { revocations, nowMs, revokedBy } = await makeAsking();
      await revocations.add(entry(nowMs(), { kind: 'sub', id: 'alice', beforeSeconds: 5_000 }));
      const alice = { ...none, subject: 'alice' };
      expect(await revokedBy({ ...alice, issuedAtSeconds: 4_999 })).toBe('sub');
      expect(await revokedBy({ ...alice, issuedAtSeconds: 5_000 })).toBeNull();
      expect(await revokedBy({ ...alice, issuedAtSeconds: null })).toBe('sub');
    });

    test('adding again never lets a revoked credential back in', async () => {
      const { revocations, nowMs, keptId } = await make();
      const strong = entry(nowMs(), { kind: 'sub', id: 'alice', beforeSeconds: 5_000 });
      const weak = { ...strong, beforeSeconds: 1_000, expiresAtSeconds: strong.expiresAtSeconds - 1_000 };
      await revocations.add(strong);
      const kept = { ...strong, id: keptId('sub', 'alice') };
      expect(value(await revocations.add(weak))).toEqual(kept);
      expect(value(await revocations.find('sub', 'alice'))).toEqual(kept);
      const stronger = { ...strong, beforeSeconds: 9_000, expiresAtSeconds: strong.expiresAtSeconds + 1_000 };
      expect(value(await revocations.add(stronger))).toEqual({ ...stronger, id: kept.id });
    });

    test('an entry can be taken back by the id of the list', async () => {
      const { revocations, nowMs, revokedBy } = await makeAsking();
      await revocations.add(entry(nowMs()));
      const [listed] = value(await revocations.list(null)).entries;
      expect(value(await revocations.removeListed('jti', listed?.id ?? ''))).toBe(true);
      expect(value(await revocations.removeListed('jti', listed?.id ?? ''))).toBe(false);
      expect(await revokedBy({ ...none, tokenId: 'token-1' })).toBeNull();
    });

    test('an entry can be found and taken back', async () => {
      const { revocations, nowMs, keptId, revokedBy } = await makeAsking();
      const one = entry(nowMs());
      expect(value(await revocations.find('jti', 'token-1'))).toBeNull();
      await revocations.add(one);
      expect(value(await revocations.find('jti', 'token-1'))).toEqual({ ...one, id: keptId('jti', 'token-1') });
      expect(value(await revocations.remove('jti', 'token-1'))).toBe(true);
      expect(value(await revocations.remove('jti', 'token-1'))).toBe(false);
      expect(value(await revocations.find('jti', 'token-1'))).toBeNull();
      expect(await revokedBy({ ...none, tokenId: 'token-1' })).toBeNull();
      await revocations.add(one);
      expect(await revokedBy({ ...none, tokenId: 'token-1' })).toBe('jti');
    });

    test('an entry ends with what it revokes', async () => {
      const { revocations, nowMs, pass, revokedBy } = await makeAsking();
      const expiresAtSeconds = Math.ceil(nowMs() / 1000) + 1;
      await revocations.add(entry(nowMs(), { expiresAtSeconds }));
      expect(await revokedBy({ ...none, tokenId: 'token-1' })).toBe('jti');
      await pass(expiresAtSeconds * 1000 - nowMs() + 50);
      expect(await revokedBy({ ...none, tokenId: 'token-1' })).toBeNull();
      expect(value(await revocations.find('jti', 'token-1'))).toBeNull();
      expect(value(await revocations.list(null)).entries).toEqual([]);
    });

    test.each(['with space', 'line\nbreak', '100%25', 'é中', 'a:b:c', '\ud800lone', ' ', '{"json":1}'])(
      'a key id may be %j',
      async (id) => {
        const { revocations, nowMs, store, revokedBy } = await makeAsking();
        await revocations.add(entry(nowMs(), { kind: 'kid', id }));
        expect(await revokedBy({ ...none, keyId: id })).toBe('kid');
        expect(value(await revocations.list(null)).entries).toMatchObject([{ kind: 'kid', id: id.toWellFormed() }]);
        expect((await changesSince(store, NO_VERSION))?.entries).toHaveLength(1);
      },
    );

    test('all entries are listed once, page by page, in the order of their last change', async () => {
      const { revocations, nowMs } = await make();
      const ids = Array.from({ length: 230 }, (_, i) => `key-${i}`);
      for (const id of ids) await revocations.add(entry(nowMs(), { kind: 'kid', id }));
      await revocations.add(entry(nowMs(), { kind: 'kid', id: 'key-0' }));
      await revocations.remove('kid', 'key-7');
      const listed: string[] = [];
      let cursor: string | null = null;
      let pages = 0;
      do {
        const page: { entries: readonly Revocation[]; next: string | null } = value(await revocations.list(cursor));
        listed.push(...page.entries.map(({ id }) => id));
        cursor = page.next;
        pages += 1;
      } while (cursor !== null);
      expect(pages).toBeGreaterThan(1);
      expect(listed).toEqual([...ids.slice(1).filter((id) => id !== 'key-7'), 'key-0']);
    });

    test('a cursor that no page gave has nothing after it', async () => {
      const { revocations, nowMs } = await make();
      await revocations.add(entry(nowMs()));
      expect(value(await revocations.list('nonsense'))).toEqual({ entries: [], next: null });
    });

    test('a revoked credential spends nothing', async () => {
      const { revocations, store, nowMs } = await make();
      await revocations.add(entry(nowMs(), { kind: 'kid', id: 'key-1' }));
      const p = partition();
      const inquiry = {
        partition: p,
        demands: [exactly(budget('general', 1, 1))],
        issuedAtSeconds: null,
        knownVersion: null,
      };
      const revoked: AdmissionFinding = { found: 'revoked', by: 'kid' };
      const fields = [
        { kind: 'kid', field: 'kid:key-0' },
        { kind: 'kid', field: 'kid:key-1' },
      ] as const;
      expect(await store.ask({ ...inquiry, fields })).toEqual(revoked);
      expect(await store.ask({ ...inquiry, fields: [] })).toMatchObject({ settlement: { allowed: true } });
    });

    test('a snapshot that follows the changes knows the same as the store', async () => {
      const { revocations, store, nowMs } = await make();
      const known = new Map<string, number>();
      let version: string = NO_VERSION;
      const follow = async (): Promise<number> => {
        for (let trips = 1; ; trips++) {
          const changes = await changesSince(store, version);
          if (changes === null) return trips;
          if (changes.replace) known.clear();
          for (const { field, expiresAtSeconds } of changes.entries) {
            if (expiresAtSeconds === null) known.delete(field);
            else known.set(field, expiresAtSeconds);
          }
          version = changes.upTo;
        }
      };
      const add = (id: string) => revocations.add(entry(nowMs(), { kind: 'kid', id }));

      expect(await follow()).toBe(1);
      expect(known.size).toBe(0);
      for (let i = 0; i < 520; i++) await add(`key-${i}`);
      await follow();
      expect(known.size).toBe(520);
      await revocations.remove('kid', 'key-3');
      await add('key-520');
      await add('key-0');
      const { entries } = (await changesSince(store, version)) ?? { entries: [] };
      expect(entries.map(({ field }) => field)).toEqual(['kid:key-3', 'kid:key-520', 'kid:key-0']);
      await follow();
      expect(known.has('kid:key-3')).toBe(false);
      expect(known.size).toBe(520);
      expect(await follow()).toBe(1);
    });
  });
}

async function changesSince(store: SharedStore, knownVersion: string): Promise<RevocationChanges | null> {
  const finding = await store.ask({ partition: null, demands: [], fields: [], issuedAtSeconds: null, knownVersion });
  if (finding.found !== 'settled') throw new Error(`the store found ${finding.found}`);
  return finding.changes;
}

/** What every store does with proofs that count once. */
export function proofsContract(make: () => Promise<StoreUnderTest>): void {
  const [of, none] = [budget('general', 1, 5), { fields: [], issuedAtSeconds: null, knownVersion: null }] as const;
  const use = (key: string, by: string, lifetimeMs = 60_000) => ({ key, by, lifetimeMs });

  describe('proofs', () => {
    test('a proof counts for one decision and never for another', async () => {
      const { store } = await make();
      const p = partition();
      const question = { partition: p, demands: [exactly(of)], ...none };
      expect(await store.ask({ ...question, proof: use('one', 'd1') })).toMatchObject({
        settlement: { allowed: true },
      });
      expect(await store.ask({ ...question, proof: use('one', 'd2') })).toEqual({ found: 'replayed' });
      expect(await store.ask({ ...question, proof: use('two', 'd3') })).toMatchObject({
        settlement: { allowed: true },
      });
    });

    test('a proof without budgets counts once too', async () => {
      const { store } = await make();
      const question = { partition: null, demands: [], ...none };
      expect(await store.ask({ ...question, proof: use('bare', 'd1') })).toMatchObject({ found: 'settled' });
      expect(await store.ask({ ...question, proof: use('bare', 'd2') })).toEqual({ found: 'replayed' });
    });

    test('the same decision may ask again, as it does when a trip was lost', async () => {
      const { store } = await make();
      const question = { partition: null, demands: [], ...none, proof: use('retried', 'd1') };
      expect(await store.ask(question)).toMatchObject({ found: 'settled' });
      expect(await store.ask(question)).toMatchObject({ found: 'settled' });
    });

    test('a replay spends nothing, and an empty budget still uses the proof up', async () => {
      const { store } = await make();
      const question = { partition: partition(), demands: [exactly(budget('general', 1, 2))], ...none };
      await store.ask({ ...question, proof: use('spent', 'd1') });
      for (let i = 0; i < 5; i++) await store.ask({ ...question, proof: use('spent', 'other') });
      expect(await store.ask(question)).toMatchObject({ settlement: { allowed: true } });
      expect(await store.ask({ ...question, proof: use('late', 'd2') })).toMatchObject({
        settlement: { allowed: false },
      });
      expect(await store.ask({ ...question, proof: use('late', 'd3') })).toEqual({ found: 'replayed' });
    });

    test('many at once with one proof: one passes', async () => {
      const { store } = await make();
      const ask = (_: unknown, i: number) =>
        store.ask({ partition: null, demands: [], ...none, proof: use('raced', `d${i}`) });
      const findings = await Promise.all(Array.from({ length: 40 }, ask));
      expect(findings.filter(({ found }) => found === 'settled')).toHaveLength(1);
    });

    test('a proof is forgotten when it could no longer be presented', async () => {
      const { store, pass } = await make();
      const question = { partition: null, demands: [], ...none };
      await store.ask({ ...question, proof: use('old', 'd1', 50) });
      await pass(120);
      expect(await store.ask({ ...question, proof: use('old', 'd2', 50) })).toMatchObject({ found: 'settled' });
    });

    test('a revoked credential does not use its proof up', async () => {
      const { store, revocations, nowMs } = await make();
      const nowSeconds = Math.floor(nowMs() / 1000);
      const entry: Revocation = {
        kind: 'kid',
        id: 'bad-key',
        beforeSeconds: null,
        expiresAtSeconds: nowSeconds + 60,
        reason: null,
        createdAtSeconds: nowSeconds,
        by: 'test',
      };
      await revocations.add(entry);
      const question = { partition: null, demands: [], issuedAtSeconds: null, knownVersion: null };
      const revoked = { ...question, fields: [{ kind: 'kid', field: 'kid:bad-key' }] as const };
      expect(await store.ask({ ...revoked, proof: use('kept', 'd1') })).toEqual({ found: 'revoked', by: 'kid' });
      expect(await store.ask({ ...question, fields: [], proof: use('kept', 'd2') })).toMatchObject({
        found: 'settled',
      });
    });
  });
}
