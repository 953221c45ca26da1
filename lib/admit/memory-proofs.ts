import type { AdmissionQuestion } from '../decision/outcome.ts';
import type { Clock } from '../decision/ports.ts';

type Proof = NonNullable<AdmissionQuestion['proof']>;

/** Proofs that one process has seen. */
export interface MemoryProofs {
  /** Uses a proof; `full`: there is no room to remember it, so nobody can say whether it is new. */
  use(proof: Proof): 'first' | 'again' | 'full';
}

/** How often a full memory is searched for room, at most. */
const SWEEP_EVERY_MS = 1_000;

/** Bounded; a proof is forgotten only once it could no longer be presented. */
export function createMemoryProofs(settings: { readonly maximumProofs: number }, clock: Clock): MemoryProofs {
  const held = new Map<string, { readonly by: string; readonly untilMs: number }>();
  let sweptAtMs = Number.NEGATIVE_INFINITY;

  const makeRoom = (nowMs: number): boolean => {
    if (held.size < settings.maximumProofs) return true;
    if (nowMs - sweptAtMs < SWEEP_EVERY_MS) return false;
    sweptAtMs = nowMs;
    for (const [key, { untilMs }] of held) if (untilMs <= nowMs) held.delete(key);
    return held.size < settings.maximumProofs;
  };

  return {
    use({ key, lifetimeMs, by }) {
      const nowMs = clock();
      const known = held.get(key);
      if (known !== undefined && known.untilMs > nowMs) return known.by === by ? 'first' : 'again';
      if (known === undefined && !makeRoom(nowMs)) return 'full';
      held.set(key, { by, untilMs: nowMs + lifetimeMs });
      return 'first';
    },
  };
}
