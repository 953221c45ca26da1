import { describe, expect, test } from 'vitest';
import { type AdmissionSettings, createAdmission } from '../../../lib/admit/admission.ts';
import { createMemoryProofs } from '../../../lib/admit/memory-proofs.ts';
import { createMemoryStore } from '../../../lib/admit/memory-store.ts';
import type { Inquiry, SharedStore } from '../../../lib/admit/shared-store.ts';
import type { AdmissionAnswer, AdmissionQuestion, Budget } from '../../../lib/decision/outcome.ts';
import type { RevocationHandles } from '../../../lib/decision/principal.ts';
import { createMemoryBudgets } from '../../../lib/limit/memory.ts';
import { createMemoryRevocations } from '../../../lib/revoke/memory.ts';
import type { Revocation } from '../../../lib/revoke/revocation.ts';

const NOW = 1_800_000_000_000;
const general: Budget = { name: 'general', perMinute: 600, burst: 600, onError: 'local' };
const heavy: Budget = { name: 'heavy', perMinute: 60, burst: 60, onError: 'closed' };

function handles(some: Partial<RevocationHandles> = {}): RevocationHandles {
  return {
    tokenId: 'token-1',
    subject: 'alice',
    issuer: null,
    issuedAtSeconds: NOW / 1000 - 60,
    keyId: 'key-1',
    thumbprint: null,
    apiKeyId: null,
    ...some,
  };
}
function revocation(some: Partial<Revocation>): Revocation {
  return {
    kind: 'jti',
    id: 'token-1',
    beforeSeconds: null,
    expiresAtSeconds: NOW / 1000 + 3600,
    reason: null,
    createdAtSeconds: NOW / 1000,
    by: 'cli',
    ...some,
  };
}
function question(some: Partial<AdmissionQuestion> = {}): AdmissionQuestion {
  return {
    partition: 'p-alice',
    budgets: [general],
    revocation: handles(),
    ...some,
  };
}

/** An isolate over a store in memory that counts trips and can be down. */
function isolate(mode: AdmissionSettings['mode'], some: Partial<AdmissionSettings> = {}) {
  const time = { ms: NOW };
  const clock = () => time.ms;
  const revocations = createMemoryRevocations(clock);
  const inner = createMemoryStore(
    createMemoryBudgets({ maximumBuckets: 1_000 }, clock),
    revocations,
    createMemoryProofs({ maximumProofs: 1_000 }, clock),
  );
  const trips: Inquiry[] = [];
  const state = { down: false };
  const store: SharedStore = {
    async ask(inquiry) {
      trips.push(inquiry);
      return state.down ? { found: 'nothing', retryAfterSeconds: 3 } : await inner.ask(inquiry);
    },
  };
  const deferred: Promise<unknown>[] = [];
  const admission = createAdmission(
    {
      mode,
      emergency: { revokedTokenIds: [], revokedKeyIds: ['leaked-key'], revokedSubjects: [] },
      revocationOnError: 'closed',
      revocationMaximumDelayMs: 5_000,
      timeoutMs: 150,
      ...some,
    },
    { store, clock, pseudonyms: (_, value) => [value] },
  );
  return {
    admission,
    revocations,
    time,
    trips,
    state,
    admit: (of: AdmissionQuestion) => admission.admit(of, { defer: (promise) => deferred.push(promise) }),
    async settled() {
      await Promise.all(deferred.splice(0));
    },
  };
}

type Isolate = ReturnType<typeof isolate>;

/** Serves a caller often enough that the isolate holds leases and a snapshot. */
async function warm(one: Isolate, of: AdmissionQuestion = question()) {
  for (let i = 0; i < 20; i++) {
    one.time.ms += 100;
    await one.admit(of);
    await one.settled();
  }
  one.trips.length = 0;
}

function now(answer: AdmissionAnswer | Promise<AdmissionAnswer>): AdmissionAnswer {
  if (answer instanceof Promise) throw new Error('the answer is a promise');
  return answer;
}

describe.each(['exact', 'leased'] as const)('%s', (mode) => {
  test('nothing to ask is answered at once', () => {
    const one = isolate(mode);
    const answer = now(one.admit({ partition: null, budgets: [], revocation: null }));
    expect(answer).toEqual({ outcome: 'admitted', budgets: [], degraded: [] });
    expect(one.trips).toHaveLength(0);
  });

  test('the emergency lists answer at once, without a store', () => {
    const one = isolate(mode);
    one.state.down = true;
    const answer = now(one.admit(question({ revocation: handles({ keyId: 'leaked-key' }) })));
    expect(answer).toEqual({ outcome: 'revoked', by: 'kid' });
    expect(one.trips).toHaveLength(0);
  });

  test('revocation and all budgets are one trip', async () => {
    const one = isolate(mode);
    const answer = await one.admit(question({ budgets: [general, heavy] }));
    expect(answer).toMatchObject({
      outcome: 'admitted',
      budgets: [
        { name: 'general', remaining: 599 },
        { name: 'heavy', remaining: 59 },
      ],
      degraded: [],
    });
    expect(one.trips).toHaveLength(1);
    expect(one.trips[0]?.fields.map(({ field }) => field)).toEqual(['jti:token-1', 'sub:alice', 'kid:key-1']);
  });

  test('a revoked credential spends nothing', async () => {
    const one = isolate(mode);
    await one.revocations.add(revocation({}));
    for (let i = 0; i < 5; i++) expect(await one.admit(question())).toEqual({ outcome: 'revoked', by: 'jti' });
    const other = await one.admit(question({ revocation: handles({ tokenId: 'token-2' }) }));
    expect(other).toMatchObject({ outcome: 'admitted', budgets: [{ remaining: 599 }] });
  });

  test('a subject cut-off separates the tokens on both sides of it', async () => {
    const one = isolate(mode);
    await one.revocations.add(revocation({ kind: 'sub', id: 'alice', beforeSeconds: 1_000 }));
    const issued = (issuedAtSeconds: number | null) =>
      one.admit(question({ revocation: handles({ issuedAtSeconds }) }));
    expect(await issued(999)).toEqual({ outcome: 'revoked', by: 'sub' });
    expect(await issued(null)).toEqual({ outcome: 'revoked', by: 'sub' });
    expect(await issued(1_000)).toMatchObject({ outcome: 'admitted' });
  });

  test('a request that one budget refuses spends from none, and is told which and for how long', async () => {
    const one = isolate(mode);
    const small: Budget = { ...heavy, perMinute: 6, burst: 1 };
    await one.admit(question({ budgets: [general, small] }));
    const answer = await one.admit(question({ budgets: [general, small] }));
    expect(answer).toMatchObject({ outcome: 'exhausted', budget: 'heavy', retryAfterSeconds: 10 });
    expect(await one.admit(question())).toMatchObject({ budgets: [{ name: 'general', remaining: 598 }] });
  });

  test('a caller without a credential is asked about its budget only', async () => {
    const one = isolate(mode);
    await one.admit(question({ revocation: null }));
    expect(one.trips[0]).toMatchObject({ fields: [] });
  });

  describe('with the store down', () => {
    const down = async (some: Partial<AdmissionSettings>, of: AdmissionQuestion) => {
      const one = isolate(mode, some);
      one.state.down = true;
      return await one.admit(of);
    };

    test('an unknown revocation is our outage', async () => {
      expect(await down({}, question())).toEqual({ outcome: 'unavailable', what: 'revocation', retryAfterSeconds: 3 });
    });

    test('unless it is configured open, which the answer tells', async () => {
      expect(await down({ revocationOnError: 'open' }, question())).toMatchObject({
        outcome: 'admitted',
        degraded: ['revocation_open', 'limits_local'],
      });
    });

    test.each([
      ['local', { outcome: 'admitted', degraded: ['limits_local'], budgets: [{ remaining: 599 }] }],
      ['open', { outcome: 'admitted', degraded: ['limits_open'], budgets: [] }],
      ['closed', { outcome: 'unavailable', what: 'limits', retryAfterSeconds: 3 }],
    ] as const)('a budget that is %s', async (onError, expected) => {
      const of = question({ revocation: null, budgets: [{ ...general, onError }] });
      expect(await down({}, of)).toMatchObject(expected);
    });

    test('one closed budget closes all', async () => {
      const of = question({ revocation: null, budgets: [{ ...general, onError: 'open' }, heavy] });
      expect(await down({}, of)).toMatchObject({ outcome: 'unavailable', what: 'limits' });
    });

    test('a local budget is a budget', async () => {
      const one = isolate(mode);
      one.state.down = true;
      const of = question({ revocation: null, budgets: [{ ...general, perMinute: 6, burst: 2 }] });
      await one.admit(of);
      await one.admit(of);
      expect(await one.admit(of)).toMatchObject({
        outcome: 'exhausted',
        budget: 'general',
        retryAfterSeconds: 10,
        degraded: ['limits_local'],
      });
    });
  });
});

describe('exact', () => {
  test('every decision asks, and a revocation holds from the next on', async () => {
    const one = isolate('exact');
    await warm(one);
    expect(await one.admit(question())).toMatchObject({ outcome: 'admitted' });
    await one.revocations.add(revocation({}));
    expect(await one.admit(question())).toEqual({ outcome: 'revoked', by: 'jti' });
    expect(one.trips).toHaveLength(2);
  });
});

describe('leased', () => {
  test('a caller that is served often is decided on without a trip and without a promise', async () => {
    const one = isolate('leased');
    await warm(one);
    for (let i = 0; i < 3; i++) expect(now(one.admit(question()))).toMatchObject({ outcome: 'admitted' });
  });

  test('a revocation holds within the bound though no decision waits for a trip', async () => {
    const one = isolate('leased');
    await warm(one);
    await one.revocations.add(revocation({}));
    const revokedAtMs = one.time.ms;
    let answer: AdmissionAnswer;
    do {
      one.time.ms += 50;
      answer = await one.admit(question());
      await one.settled();
    } while (answer.outcome === 'admitted');
    expect(answer).toEqual({ outcome: 'revoked', by: 'jti' });
    expect(one.time.ms - revokedAtMs).toBeLessThanOrEqual(5_000);
  });

  test('a snapshot past the bound decides nothing: the decision asks itself', async () => {
    const one = isolate('leased');
    await warm(one);
    await one.revocations.add(revocation({}));
    one.time.ms += 5_001;
    expect(await one.admit(question())).toEqual({ outcome: 'revoked', by: 'jti' });
  });

  test('while the store is down leases and a fresh snapshot go on deciding, then the failure modes do', async () => {
    const one = isolate('leased');
    await warm(one);
    one.state.down = true;
    expect(now(one.admit(question()))).toMatchObject({ outcome: 'admitted', degraded: [] });
    await one.settled();
    one.time.ms += 5_001;
    expect(await one.admit(question())).toMatchObject({ outcome: 'unavailable', what: 'revocation' });
  });

  test('a token that a lease holds is not spent when the trip for another budget refuses', async () => {
    const one = isolate('leased');
    await warm(one);
    const small: Budget = { ...heavy, perMinute: 6, burst: 1 };
    await one.admit(question({ budgets: [small] }));
    const before = now(one.admit(question()));
    const refused = await one.admit(question({ budgets: [general, small] }));
    const after = now(one.admit(question()));
    expect(refused).toMatchObject({ outcome: 'exhausted', budget: 'heavy' });
    const left = (answer: AdmissionAnswer) => ('budgets' in answer ? answer.budgets[0]?.remaining : undefined);
    expect(left(after)).toBe((left(before) ?? 0) - 1);
  });

  test('tokens set aside for decisions that turn out refused are there for others', async () => {
    const one = isolate('leased');
    await warm(one);
    await one.revocations.add(revocation({}));
    one.time.ms += 5_001;
    for (let i = 0; i < 40; i++) expect(await one.admit(question())).toEqual({ outcome: 'revoked', by: 'jti' });
    expect(now(one.admit(question({ revocation: null })))).toMatchObject({ outcome: 'admitted' });
  });

  test('an empty budget is remembered until it can have refilled, and no longer', async () => {
    const one = isolate('leased');
    const small: Budget = { ...general, perMinute: 6, burst: 1 };
    const of = question({ revocation: null, budgets: [small] });
    await one.admit(of);
    await one.admit(of);
    one.trips.length = 0;
    one.time.ms += 9_999;
    expect(now(one.admit(of))).toMatchObject({ outcome: 'exhausted', retryAfterSeconds: 1 });
    expect(one.trips).toHaveLength(0);
    one.time.ms += 1;
    expect(await one.admit(of)).toMatchObject({ outcome: 'admitted' });
  });

  test('what is used up is renewed in the background of a request', async () => {
    const one = isolate('leased');
    await warm(one);
    let waited = 0;
    for (let i = 0; i < 200; i++) {
      one.time.ms += 100;
      const answer = one.admit(question());
      if (answer instanceof Promise) waited += 1;
      expect(await answer).toMatchObject({ outcome: 'admitted' });
      await one.settled();
    }
    expect(waited).toBe(0);
    expect(one.trips.length).toBeLessThan(40);
  });

  test('a lost answer leaves a lease usable to its end and is never told of again', async () => {
    const one = isolate('leased');
    await warm(one, question({ revocation: null }));
    one.state.down = true;
    for (let i = 0; i < 18; i++) one.admit(question({ revocation: null }));
    await one.settled();
    one.state.down = false;
    one.trips.length = 0;
    one.time.ms += 1_000;
    await one.admit(question({ revocation: null }));
    await one.settled();
    expect(one.trips.flatMap(({ demands }) => demands.map(({ window, used }) => ({ window, used })))).toEqual([
      { window: -1, used: 0 },
    ]);
  });
});

test('pseudonyms that are not at hand are waited for', async () => {
  const one = isolate('leased');
  const admission = createAdmission(
    {
      mode: 'exact',
      emergency: { revokedTokenIds: [], revokedKeyIds: [], revokedSubjects: [] },
      revocationOnError: 'closed',
      revocationMaximumDelayMs: 5_000,
      timeoutMs: 150,
    },
    {
      store: { ask: async (inquiry) => ({ found: 'revoked', by: inquiry.fields.at(-1)?.kind ?? 'jti' }) },
      clock: () => one.time.ms,
      pseudonyms: async (kind, value) => [`new-${kind}-${value}`, `old-${kind}-${value}`],
    },
  );
  expect(await admission.admit(question(), { defer: () => {} })).toEqual({ outcome: 'revoked', by: 'kid' });
});

describe('whether credentials are looked at for revocation', () => {
  const nobody = { revokedTokenIds: [], revokedKeyIds: [], revokedSubjects: [] };
  function looking(mode: AdmissionSettings['mode'], emergency: AdmissionSettings['emergency']) {
    const clock = () => NOW;
    const revocations = createMemoryRevocations(clock);
    const store = createMemoryStore(
      createMemoryBudgets({ maximumBuckets: 10 }, clock),
      revocations,
      createMemoryProofs({ maximumProofs: 10 }, clock),
    );
    const settings = {
      mode,
      emergency,
      revocationOnError: 'closed',
      revocationMaximumDelayMs: 5_000,
      timeoutMs: 150,
    } as const;
    const admission = createAdmission(settings, { store, clock, pseudonyms: (_, value) => [value] });
    return { revocations, looks: () => admission.looksForRevocation?.() };
  }

  test('they are not while a store in memory holds no entry, and are from the first one on', async () => {
    const { revocations, looks } = looking('exact', nobody);
    expect(looks()).toBe(false);
    await revocations.add(revocation({}));
    expect(looks()).toBe(true);
  });

  test.each([
    ['an emergency list names a key', 'exact', { ...nobody, revokedKeyIds: ['leaked-key'] }],
    ['a snapshot has to be kept fresh', 'leased', nobody],
  ] as const)('they are where %s', (_, mode, emergency) => {
    expect(looking(mode, emergency).looks()).toBe(true);
  });
});
