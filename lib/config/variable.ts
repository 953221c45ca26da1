import type { Kind } from './kinds.ts';

export type Environment = 'production' | 'development';

/** Where the product runs. `cli`: the operator's own machine, for one command. Some variables and rules hold in one place only. */
export type Platform = 'worker' | 'node' | 'lambda' | 'cli';

/** What every row of the table says beside its default. */
interface Row<T> {
  readonly name: `TGEFD_${string}`;
  /** Names read too when the first is not given. */
  readonly aliases?: readonly string[];
  /** The only platform on which the variable means anything. */
  readonly only?: Platform;
  /**
   * For a variable whose text is JSON: the member of the policy document (`TGEFD_POLICY`) with the same meaning, or null where
   * there is none. Such a variable may also be read from a file (`X_FILE`).
   */
  readonly member?: string | null;
  readonly kind: Kind<T>;
  /** What people read about it. The bundles leave it out: it is for the documentation and for the command line. */
  readonly meaning: string;
}

/** One row of the table. `fallback` is the value when nothing was given, in either environment. */
export interface Variable<T, D> extends Row<T> {
  readonly fallback: { readonly production: D; readonly development: D };
  readonly secret: boolean;
}

/** A secret with the second value that is still accepted while rotating (`X_PREVIOUS`). */
export interface Secret<T> {
  readonly current: T;
  readonly previous: T | null;
}

/** A setting with one default for both environments. */
export function setting<T, const D extends T | null>(row: Row<T> & { readonly fallback: D }): Variable<T, D> {
  return { ...row, fallback: { production: row.fallback, development: row.fallback }, secret: false };
}

/** A setting whose default depends on the environment. */
export function settingByEnvironment<T, const D extends T | null>(
  row: Row<T> & { readonly fallback: { readonly production: D; readonly development: D } },
): Variable<T, D> {
  return { ...row, secret: false };
}

/** A secret; it has no default. */
export function secret<T>(row: Row<T>): Variable<T, null> & { readonly secret: true } {
  return { ...row, fallback: { production: null, development: null }, secret: true };
}

/** What a platform hands in: strings, and bindings that are passed over. */
export type Env = Readonly<Record<string, unknown>>;
