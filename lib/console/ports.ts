import type { Context } from 'hono';
import type { Composed } from '../compose/authorizer.ts';
import type { Config } from '../config/load.ts';
import type { Clock, NewId, RequestContext } from '../decision/ports.ts';
import type { Received } from '../http/app.ts';
import type { OpenedArchive } from './audit/archive.ts';

/** What a runtime hands to the console. */
export interface ConsoleHost<Bindings extends object> {
  /** The parts that serve, or null while the configuration is invalid. */
  composed(bindings: Bindings, context: RequestContext): Composed | null | Promise<Composed | null>;
  received(request: Request, bindings: Bindings, context: Context): Received;
  rawTarget(request: Request, bindings: Bindings): string;
  /** The archive of a configuration, opened for reading; null where there is none. */
  archive(config: Config, bindings: Bindings): Promise<OpenedArchive | null>;
  /** How the live screen is fed: by server-sent events, or by questions of the browser. */
  readonly live: 'events' | 'polling';
  readonly clock: Clock;
  readonly newId: NewId;
  readonly sleep: (milliseconds: number) => Promise<void>;
  /** Says when the process stops taking work. */
  readonly stopping: Pick<AbortSignal, 'aborted'>;
}
