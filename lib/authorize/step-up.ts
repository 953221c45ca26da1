import { type JsonObject, member } from '../codec/strict-json.ts';
import type { Clock } from '../decision/ports.ts';
import type { Endpoint, StepUp } from '../decision/request.ts';
import type { RowCondition, Unmet } from './condition.ts';

/** Against which time authentications are old. */
export interface StepUpTime {
  readonly clock: Clock;
  readonly clockSkewSeconds: number;
}

/**
 * Compiles what a row demands of the authentication behind a token (RFC 9470): one of some classes (`acr`), and an age
 * (`auth_time`). A caller without a token meets neither, and so does nobody where no time is given.
 */
export function stepUpCondition(endpoint: Endpoint, time: StepUpTime | null): RowCondition | null {
  const { stepUp } = endpoint;
  if (stepUp === undefined) return null;
  return ({ claims }) => {
    if (claims === null || time === null) return unmet(stepUp, 'no token', 'acr');
    const values = claims as JsonObject;
    const acr = member(values, 'acr');
    if (stepUp.acr.length > 0 && !(typeof acr === 'string' && stepUp.acr.includes(acr)))
      return unmet(stepUp, typeof acr === 'string' ? acr : 'none', 'acr');
    if (stepUp.maximumAgeSeconds === null) return null;
    const age = ageOf(member(values, 'auth_time'), time.clock() / 1000);
    const skew = time.clockSkewSeconds;
    const fits = age !== null && age >= -skew && age <= stepUp.maximumAgeSeconds + skew;
    return fits ? null : unmet(stepUp, age === null ? 'no auth_time' : `${Math.floor(age)} s ago`, 'max_age_sec');
  };
}

function ageOf(authTime: unknown, nowSeconds: number): number | null {
  return typeof authTime === 'number' && Number.isFinite(authTime) ? nowSeconds - authTime : null;
}

function unmet({ acr, maximumAgeSeconds }: StepUp, found: string, member: string): Unmet {
  const wanted = member === 'acr' ? acr.join(' or ') : `at most ${maximumAgeSeconds} s ago`;
  return { reason: { reason: 'step_up_needed', acr, maximumAgeSeconds }, found, wanted, member };
}

/** Whether rows ask for the authentication behind a token, so that principals must carry their claims. */
export function asksForStepUp(endpoints: readonly Endpoint[]): boolean {
  return endpoints.some(({ stepUp }) => stepUp !== undefined);
}
