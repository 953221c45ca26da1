/** The system's clock. A service that verifies assertions has no platform of ours to hand it one. */
export function systemClock(): Date {
  return new Date();
}
