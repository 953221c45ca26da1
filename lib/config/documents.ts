import type { Endpoint } from '../decision.ts';
import type { Problem } from './load.ts';
import type { Settings } from './variables.ts';

/** Variables whose text is a document of its own, read by the room that owns its form. */
export interface Documents {
  readonly endpoints: readonly Endpoint[];
}

/** Reads every document of the configuration; gives one problem for each fault. */
export const readDocuments = (
  settings: Settings,
): { readonly documents: Documents; readonly problems: readonly Problem[] } => {
  const problems: Problem[] = [];
  void settings;
  return { documents: { endpoints: [] }, problems };
};
