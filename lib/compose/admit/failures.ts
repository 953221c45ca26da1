import { createFailures, type Failures } from '../../limit/failed-authentications.ts';
import { createSharedFailures, type ReportFailures } from '../../limit/shared-failures.ts';

const MAXIMUM_ADDRESSES = 10_000;

/** The budget of failed authentications: of this process, and of all together where there is a store for it. */
export function composeFailures(perMinute: number, report: ReportFailures | null): Failures {
  const settings = { perMinute, maximumAddresses: MAXIMUM_ADDRESSES };
  const local = createFailures(settings);
  return report === null ? local : createSharedFailures(settings, local, report);
}
