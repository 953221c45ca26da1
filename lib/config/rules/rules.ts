import type { SettingKey, Settings } from '../variables.ts';
import { type Check, createReports, type Place } from './check.ts';
import { checkFieldNames } from './field-names.ts';
import { checkIdentity, chooseWays } from './identity.ts';
import { checkIngress } from './ingress.ts';
import { checkOperation } from './operation.ts';
import { checkRequests } from './requests.ts';
import { checkBuckets } from './stores/buckets.ts';
import { checkStores } from './stores/stores.ts';
import { checkTokens } from './tokens.ts';

/**
 * What variables demand of each other and of the environment. Pure: returns the ways to authenticate that
 * will be used, and one problem for each demand that is not met. Warnings name what is allowed but has no effect.
 * Does not read documents such as `TGEFD_ENDPOINTS`: see `documents.ts`.
 */
export function crossCheck(settings: Settings, given: ReadonlySet<SettingKey>, place: Place) {
  const { problems, warnings, ...reports } = createReports();
  const ways = chooseWays(settings, given, reports.problem);
  const production = settings.environment === 'production';
  const check: Check = { settings, given, place, production, ways, ...reports };
  checkIdentity(check);
  checkTokens(check);
  checkRequests(check);
  checkFieldNames(check);
  checkIngress(check);
  checkStores(check);
  checkBuckets(check);
  checkOperation(check);
  const [authMode] = ways;
  return { authMode, ways, problems, warnings };
}
