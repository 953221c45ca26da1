import type { IssuerSettings } from './issuer.ts';

/** Every spelling of every issuer with the first of the same issuer, which principals, budgets and revocations carry. */
export function firstSpellings(issuers: readonly Pick<IssuerSettings, 'spellings'>[]): ReadonlyMap<string, string> {
  return new Map(issuers.flatMap(({ spellings }) => spellings.map((each) => [each, spellings[0] ?? each] as const)));
}
