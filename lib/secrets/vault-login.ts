import type { Clock, Log } from '../decision/ports.ts';

/** One request to Vault's HTTP API; a body makes it a POST. Rejects when no JSON object comes. */
export type CallVault = (
  path: string,
  options: { readonly token: string | null; readonly body?: object },
) => Promise<{ readonly status: number; readonly body: Readonly<Record<string, unknown>> }>;

/** How we prove to Vault who we are. */
export type VaultAuth =
  | { readonly method: 'token' }
  | {
      readonly method: 'kubernetes' | 'jwt';
      readonly role: string;
      /** Where the auth method is mounted: `kubernetes`, `jwt`, or a path of the operator's. */
      readonly mount: string;
    };

interface Session {
  readonly token: string;
  readonly renewable: boolean;
  readonly sinceMs: number;
  /** Null: never ends. */
  readonly leaseMs: number | null;
}

export interface VaultLogin {
  /** A token that Vault takes now, as far as its lease tells. Rejects when none is to be had. */
  token(): Promise<string>;
  /** Drops the session; false where there was none. */
  forget(): boolean;
}

interface LoginParts {
  readonly call: CallVault;
  readonly stopwatch: Clock;
  readonly log: Log;
  readonly readCredential: () => Promise<string>;
}

const RENEW_AFTER = 2 / 3;

/**
 * Keeps one session with Vault: logs in with the token of a service account (Kubernetes auth) or any other JWT, renews at two
 * thirds of the lease, logs in anew where renewing fails. A token that somebody else made is looked up for its lease and
 * renewed the same way; when it ends, it is read again, for whoever made it may have made another.
 */
export function createVaultLogin(auth: VaultAuth, parts: LoginParts): VaultLogin {
  let session: Session | null = null;
  return {
    async token() {
      const current = session;
      if (current === null) {
        session = await open(auth, parts);
        return session.token;
      }
      const { leaseMs, renewable, sinceMs, token } = current;
      const ageMs = parts.stopwatch() - sinceMs;
      if (leaseMs === null || ageMs < leaseMs * RENEW_AFTER) return token;
      session = (renewable && ageMs < leaseMs ? await renewed(current, parts) : null) ?? (await open(auth, parts));
      return session.token;
    },
    forget() {
      if (session === null) return false;
      session = null;
      return true;
    },
  };
}

async function open(auth: VaultAuth, { call, stopwatch, readCredential }: LoginParts): Promise<Session> {
  const credential = (await readCredential().catch(() => '')).trim();
  if (credential === '') throw new Error('no token of ours to show to Vault');
  if (auth.method === 'token') {
    const { status, body } = await call('auth/token/lookup-self', { token: credential });
    if (status !== 200) throw new Error(`status ${status} from Vault for the configured token`);
    return sessionOf(body.data, credential, stopwatch());
  }
  const { status, body } = await call(`auth/${encodeURI(auth.mount)}/login`, {
    token: null,
    body: { role: auth.role, jwt: credential },
  });
  if (status !== 200) throw new Error(`status ${status} from Vault for the login`);
  return sessionOf(body.auth, null, stopwatch());
}

/** Null: Vault does not renew it. */
async function renewed(current: Session, { call, stopwatch, log }: LoginParts): Promise<Session | null> {
  const answer = await call('auth/token/renew-self', { token: current.token, body: {} }).catch(() => null);
  if (answer === null || answer.status !== 200) {
    log('warn', 'vault_token_not_renewed', { status: answer?.status ?? null });
    return null;
  }
  return sessionOf(answer.body.auth, current.token, stopwatch());
}

function sessionOf(granted: unknown, token: string | null, sinceMs: number): Session {
  const of = (name: string): unknown =>
    typeof granted === 'object' && granted !== null && Object.hasOwn(granted, name) ? Reflect.get(granted, name) : null;
  const given = of('client_token') ?? token;
  const seconds = of('lease_duration') ?? of('ttl');
  if (typeof given !== 'string' || given === '') throw new Error('a login to Vault without a token');
  const leaseMs = typeof seconds === 'number' && seconds > 0 ? seconds * 1000 : null;
  return { token: given, renewable: of('renewable') === true, sinceMs, leaseMs };
}
