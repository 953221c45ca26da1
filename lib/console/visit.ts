import type { Child } from 'hono/jsx';
import type { Decision } from '../decision/outcome.ts';
import type { Clock, NewId, RequestContext } from '../decision/ports.ts';
import type { OpenedArchive } from './audit/archive.ts';
import type { VerificationMemo } from './audit/verification.ts';
import type { Desk } from './desk.ts';
import type { Session } from './session/session.ts';

/** One request of a signed-in operator, already decided and recorded. */
export interface Visit {
  readonly desk: Desk;
  readonly session: Session;
  readonly decision: Decision;
  readonly context: RequestContext;
  readonly mayAct: boolean;
  readonly query: URLSearchParams;
  /** Fields of the form; empty for a view. */
  readonly form: URLSearchParams;
  readonly nowMs: number;
  readonly live: 'events' | 'polling';
  /** What a stream needs of the runtime. */
  readonly ports: {
    readonly clock: Clock;
    readonly newId: NewId;
    readonly sleep: (milliseconds: number) => Promise<void>;
    readonly stopping: Pick<AbortSignal, 'aborted'>;
  };
  archive(): Promise<OpenedArchive | null>;
  /** The last verification of this process. */
  readonly verification: VerificationMemo;
}

/** What a screen shows. */
export interface Shown {
  readonly title: string;
  /** Path of the screen in the navigation. */
  readonly at: string;
  readonly body: Child;
  readonly status?: number;
}

/** One screen or action. */
export type Screen = (visit: Visit) => Promise<Shown | Response>;
