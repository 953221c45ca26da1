/** A way into the product, started as it would be deployed. */
export interface StartedDoor {
  readonly url: string;
  readonly port: number;
  readonly pid: number;
  /** Every line it has written to stdout and stderr so far. */
  readonly lines: readonly string[];
  /** Resolves with how the process ended, whenever it does. */
  readonly exited: Promise<string>;
  /** Asks it to end (SIGTERM) and waits until it is gone. */
  stop(): Promise<void>;
  /** Ends it at once, as a crash would. */
  kill(): Promise<void>;
}

/** Variables of the contract (`TGEFD_…`) as strings. */
export type DoorEnv = Readonly<Record<string, string>>;
