/** Revocations that changed. */
export interface RevocationChanges {
  /** Version of the store, and the version up to which these changes go; when they differ, ask again for the rest. */
  readonly version: string;
  readonly upTo: string;
  /** Whether what the asker has is worthless: these changes begin from nothing. */
  readonly replace: boolean;
  readonly entries: readonly {
    readonly field: string;
    /** Null: no longer revoked. */
    readonly expiresAtSeconds: number | null;
    readonly beforeSeconds: number | null;
  }[];
}

/** Version of a store that holds no revocations, and of an asker that knows none. */
export const NO_VERSION = '0';
