import { egressHosts } from '../config/egress.ts';
import type { Settings } from '../config/variables.ts';
import type { Fetch, Log } from '../decision/ports.ts';
import { createEgress, type NoteRefusal } from './guard.ts';

/** Refusals of egress in one process: each counted, each pair of host and reason told once. */
export interface EgressWatch {
  readonly note: NoteRefusal;
  count(): number;
}

/** Redirects choose hosts: nobody fills the log or the memory with them. */
const MAXIMUM_TOLD = 100;

export function createEgressWatch(log: Log): EgressWatch {
  const told = new Set<string>();
  let refused = 0;
  return {
    note({ host, why }) {
      refused++;
      const line = `${host} ${why}`;
      if (told.size >= MAXIMUM_TOLD || told.has(line)) return;
      told.add(line);
      log('error', 'egress_refused', { host: host.slice(0, 255), why });
    },
    count: () => refused,
  };
}

const BOUNDED = { deadlineMs: 30_000, maximumBodyBytes: 16 * 1024 * 1024 } as const;
const UNBOUNDED = { deadlineMs: null, maximumBodyBytes: null } as const;

interface EgressParts {
  readonly fetch: Fetch;
  readonly watch: EgressWatch;
}

/**
 * The way out to Redis, for what is on a decision's way: the same hosts and rules, but the time and the length of an answer
 * are held by the exchange that asks, which does not need a stream and a timer more for each.
 */
export function composeRedisEgress(settings: Settings, { fetch, watch }: EgressParts): Fetch {
  return createEgress({ allowedHosts: egressHosts(settings), ...UNBOUNDED }, fetch, watch.note);
}

/** The way out of one configuration: its hosts and no others. */
export function composeEgress(settings: Settings, { fetch, watch }: EgressParts): Fetch {
  return createEgress({ allowedHosts: egressHosts(settings), ...BOUNDED }, fetch, watch.note);
}
