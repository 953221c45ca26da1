import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { DoorEnv, StartedDoor } from '../support/door.ts';
import type { Scene } from '../support/incident.ts';

/** One compromise as it happens to a door. */
export interface Incident {
  /** Uses what leaked; whether it passed. */
  attempt(): Promise<boolean>;
  /** Somebody who should pass goes on; whether they did. */
  goesOn(): Promise<boolean>;
  /** Values for the variables of the page, besides SINCE and T; `evidence` for those that are files made at the moment. */
  readonly variables: Readonly<Record<string, string>>;
  readonly evidence?: (sinceMs: number) => Promise<Readonly<Record<string, string>>>;
  /** What the page leaves to a human between its commands, in order: what each of its comments says. */
  readonly byHand?: readonly (() => Promise<unknown>)[];
  /** The bound, from what *stop* printed. */
  boundMs(printed: string): number;
  /** Holds what *detect* printed to what it should show. */
  detected(printed: string): void;
}

/** Opens a door where something has leaked. */
export type Play = (scene: Scene) => Promise<Incident>;

export function pause(milliseconds: number) {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
/** Waits for something; gives whether it came within so many milliseconds. (`expect.poll` belongs to one test at a time.) */
export async function comesTrue(condition: () => Promise<boolean>, limitMs = 5_000): Promise<boolean> {
  for (const beganMs = Date.now(); Date.now() < beganMs + limitMs; await pause(50)) if (await condition()) return true;
  return false;
}

export function bearer(token: string) {
  return { authorization: `Bearer ${token}` };
}
export function recordsIn(printed: string) {
  return printed
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line): Record<string, unknown> => JSON.parse(line));
}
function seconds(pattern: RegExp) {
  return (printed: string) => Number(pattern.exec(printed)?.[1]) * 1000;
}
export const revocationBound = seconds(/holds everywhere within (\d+) s/);
export const newValueBound = seconds(/(\d+) s after out of a file/);

export async function passes(door: StartedDoor, fields: Record<string, string>, address = thief) {
  const headers = { 'x-forwarded-for': address, ...fields };
  return (await fetch(`${door.url}/v1/metrics`, { headers })).status === 200;
}

export const behindProxy = { TGEFD_TRUSTED_PROXIES: '127.0.0.1/32' };
export function withIssuer({ issuer }: Pick<Scene, 'issuer'>): DoorEnv {
  return {
    ...behindProxy,
    TGEFD_AUTH_MODE: 'jwt',
    TGEFD_JWKS_URL: issuer.keySetUrl,
    TGEFD_JWKS_TTL_SEC: '1',
    TGEFD_JWT_ISSUER: issuer.url,
    TGEFD_JWT_AUDIENCE: issuer.audience,
  };
}

export const home = '198.51.100.7';
export const thief = '203.0.113.66';

/** The value that `rotate --out new` made last. */
export function made({ folder }: Scene) {
  return readFile(join(folder, 'new'), 'utf8');
}
