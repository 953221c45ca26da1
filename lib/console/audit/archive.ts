import type { ChainParts } from '../../archive/chain.ts';
import { createLayout } from '../../archive/layout.ts';
import { createVerifier } from '../../archive/signature.ts';
import { signingJwks } from '../../compose/archive/archive.ts';
import type { Config } from '../../config/load.ts';
import type { ObjectStore } from '../../storage/store.ts';

/** An archive opened for reading. */
export interface OpenedArchive extends ChainParts {
  /** The second bucket with copies of the anchors, or null. */
  readonly copies: ObjectStore | null;
}

/** Opens the archive of a configuration in its stores; null where there is no bucket or no key to verify with. */
export function openedArchive(
  config: Config,
  stores: { readonly store: ObjectStore | null; readonly copies: ObjectStore | null },
): OpenedArchive | null {
  const keys = signingJwks(config);
  if (stores.store === null || keys === null || keys.length === 0) return null;
  return {
    store: stores.store,
    copies: stores.copies,
    layout: createLayout(config.settings.auditPrefix),
    verifier: createVerifier(keys),
  };
}
