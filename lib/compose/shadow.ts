import { createShadow } from '../authorize/shadow.ts';
import type { StepUpTime } from '../authorize/step-up.ts';
import type { Config } from '../config/load.ts';
import type { Settings } from '../config/variables.ts';
import type { Decision } from '../decision/outcome.ts';
import type { Shadow } from '../decision/steps.ts';
import { createEndpointTable } from '../request/endpoints/table.ts';
import { messageByFields } from '../request/mcp/steps.ts';

/** The trial of a second table and of denials that are only recorded; null where nothing is tried. */
export function composeShadow({ settings, documents }: Config, stepUpTime: StepUpTime): Shadow | null {
  const { shadowEndpoints: endpoints } = documents;
  const table = endpoints && { endpoints, route: createEndpointTable(endpoints).route, messageOf: messageByFields };
  return createShadow({ table, rbacEnabled: settings.rbacEnabled, untilMs: settings.shadowUntil, stepUpTime });
}

/** What an operator reads beside `ready` while denials are only recorded, or null. */
export function shadowNotice({ shadowUntil }: Settings, nowMs: number): string | null {
  return shadowUntil !== null && nowMs < shadowUntil
    ? `denials are only recorded until ${new Date(shadowUntil).toISOString()}`
    : null;
}

/** Tells a trusted hop that denials are only recorded at present. */
export function shadowFields(
  { atMs, boundary }: Decision,
  { shadowUntil }: Settings,
): readonly (readonly [string, string])[] {
  return shadowUntil !== null && atMs < shadowUntil && boundary.trustedHop ? [['x-tgefd-shadow', '1']] : [];
}
