import type { Clock, Fetch, Log } from '../decision/ports.ts';
import { createReferenceReader } from './documents.ts';
import { type CallVault, createVaultLogin, type VaultAuth } from './vault-login.ts';

export interface VaultSettings {
  /** Origin, and path prefix where a proxy has one; no trailing slash. */
  readonly url: string;
  /** Namespace of Vault Enterprise or HCP, or null. */
  readonly namespace: string | null;
  readonly auth: VaultAuth;
  /** Deadline of one request. */
  readonly timeoutMs: number;
}

/** Thrown for a request that Vault answers otherwise than with what was asked. */
class VaultRefused extends Error {
  readonly status: number;
  constructor(status: number, what: string) {
    super(`status ${status} from Vault for ${what}`);
    this.status = status;
  }
}

/**
 * Reads secrets of HashiCorp Vault's KV engine, version 2. A reference is `mount/path#field`; the mount is the first
 * segment. Without `#field` the whole secret is given as JSON. The login token is renewed when two thirds of its lease are
 * gone and made anew when it cannot be, or when Vault no longer takes it. Keeps text and numbers only. Rejects with a
 * message that names the fault (a status, never an answer); Vault's own audit device tells every reading on its side.
 */
export function createVaultSecrets(
  settings: VaultSettings,
  parts: {
    readonly fetch: Fetch;
    readonly stopwatch: Clock;
    readonly log: Log;
    /** What proves to Vault who we are: a JWT (Kubernetes, JWT) or the token itself; read anew for each login. */
    readonly readCredential: () => Promise<string>;
  },
): (reference: string) => Promise<string> {
  const { fetch, stopwatch, log, readCredential } = parts;

  const call: CallVault = async (path, { token, body }) => {
    const response = await fetch(`${settings.url}/v1/${path}`, {
      method: body === undefined ? 'GET' : 'POST',
      headers: {
        'x-vault-request': 'true',
        ...(settings.namespace === null ? {} : { 'x-vault-namespace': settings.namespace }),
        ...(token === null ? {} : { 'x-vault-token': token }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(settings.timeoutMs),
    }).catch(() => null);
    if (response === null) throw new Error('no answer from Vault');
    const answer: unknown = await response.json().catch(() => null);
    const isObject = typeof answer === 'object' && answer !== null;
    return { status: response.status, body: isObject ? (answer as Record<string, unknown>) : {} };
  };
  const login = createVaultLogin(settings.auth, { call, stopwatch, log, readCredential });

  const read = async (name: string): Promise<string> => {
    const slash = name.indexOf('/');
    const [mount, path] = [name.slice(0, Math.max(slash, 0)), name.slice(slash + 1)];
    if (mount === '' || path === '' || /(^|\/)\.{0,2}(\/|$)/.test(path))
      throw new Error('a reference that is not mount/path#field');
    const { status, body } = await call(
      `${encodeURI(mount)}/data/${path.split('/').map(encodeURIComponent).join('/')}`,
      {
        token: await login.token(),
      },
    );
    if (status !== 200) throw new VaultRefused(status, 'a secret');
    const { data } = body;
    const secret = typeof data === 'object' && data !== null && 'data' in data ? data.data : null;
    if (typeof secret !== 'object' || secret === null) throw new Error('a version of the secret that is deleted');
    return JSON.stringify(secret);
  };

  return createReferenceReader(async (name) => {
    try {
      return await read(name);
    } catch (error) {
      // The token may have been revoked before its lease was over: one new login, then it is the secret's own 403.
      if (!(error instanceof VaultRefused && error.status === 403 && login.forget())) throw error;
      return await read(name);
    }
  }, stopwatch);
}
