import type { AuthMethod } from '../../decision/principal.ts';
import type { Problem } from '../problem.ts';
import type { Platform, Secret } from '../variable.ts';
import { type SettingKey, type Settings, variables } from '../variables.ts';

/** Where the configuration is going to be used: some demands depend on it. */
export interface Place {
  readonly platform: Platform;
  /**
   * `gateway` decides and forwards; `archive` drains the audit outbox; a Node process with a bucket does both. `library`
   * decides inside an application, which is its own upstream. `console` decides about its own pages only.
   */
  readonly role: 'gateway' | 'archive' | 'library' | 'console';
  /** A Worker's service binding `UPSTREAM` stands in for `TGEFD_UPSTREAM_URL`. */
  readonly upstreamBinding: boolean;
  /** An R2 binding stands in for `TGEFD_AUDIT_BUCKET`. */
  readonly bucketBinding: boolean;
}

/** Reports one finding about a variable: what was found, and what is accepted. */
export type Report = (key: SettingKey, found: string, accepted: string) => void;

/** What every rule reads, and how it reports. */
export interface Check {
  readonly settings: Settings;
  readonly given: ReadonlySet<SettingKey>;
  readonly place: Place;
  readonly production: boolean;
  /** The kinds of credentials that count, in their order. */
  readonly ways: readonly [AuthMethod, ...AuthMethod[]];
  readonly name: (key: SettingKey) => string;
  readonly problem: Report;
  readonly warning: Report;
  /** Demands at least 32 bytes of a secret and of its previous value. */
  readonly strong: (key: SettingKey, secret: Secret<string> | null) => void;
  /** Demands `https:` of a URL unless plain HTTP is allowed there. */
  readonly secure: (key: SettingKey, target: URL | null, plainAllowed: boolean, unless: string) => void;
}

const MINIMUM_SECRET_BYTES = 32;
const loopback = /^(localhost|127(?:\.\d{1,3}){3}|\[::1\]|(?:[A-Za-z0-9-]+\.)+localhost)$/;

/** Whether a URL's host is a loopback name or address (RFC 6761 §6.3, RFC 1122 §3.2.1.3). */
export function isLoopback(target: URL): boolean {
  return loopback.test(target.hostname);
}

/** The means by which rules report, and where their reports are collected. */
export function createReports(): Pick<Check, 'name' | 'problem' | 'warning' | 'strong' | 'secure'> & {
  readonly problems: Problem[];
  readonly warnings: Problem[];
} {
  const problems: Problem[] = [];
  const warnings: Problem[] = [];
  const name = (key: SettingKey) => variables[key].name;
  const problem: Report = (key, found, accepted) => void problems.push({ variable: name(key), found, accepted });
  const weak = (variable: string, secret: string) => {
    const bytes = new TextEncoder().encode(secret).length;
    if (bytes < MINIMUM_SECRET_BYTES)
      problems.push({ variable, found: `${bytes} bytes`, accepted: `at least ${MINIMUM_SECRET_BYTES} bytes` });
  };
  return {
    problems,
    warnings,
    name,
    problem,
    warning: (key, found, accepted) => void warnings.push({ variable: name(key), found, accepted }),
    strong(key, secret) {
      if (secret) weak(name(key), secret.current);
      if (secret?.previous != null) weak(`${name(key)}_PREVIOUS`, secret.previous);
    },
    secure(key, target, plainAllowed, unless) {
      if (target?.protocol === 'http:' && !plainAllowed) problem(key, 'an http: URL', `an https: URL${unless}`);
    },
  };
}
