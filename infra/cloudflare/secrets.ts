import { type Call, member } from './api.ts';
import { kept, type Outcome, perform, type Run } from './plan.ts';

/** Secrets by the Worker that needs them: the archive alone holds the key that signs manifests, the console its public half. */
const NEEDED = {
  gateway: ['TGEFD_REDIS_TOKEN', 'TGEFD_AUDIT_PSEUDONYM_KEY', 'TGEFD_ASSERTION_KEY', 'TGEFD_INGRESS_SECRET'],
  archive: ['TGEFD_REDIS_TOKEN', 'TGEFD_AUDIT_PSEUDONYM_KEY', 'TGEFD_AUDIT_SIGNING_KEY'],
  console: ['TGEFD_REDIS_TOKEN', 'TGEFD_AUDIT_PSEUDONYM_KEY', 'TGEFD_AUDIT_SIGNING_KEY'],
} as const;

/** Secrets that are needed only where the configuration says so. */
const OPTIONAL: readonly string[] = ['TGEFD_ASSERTION_KEY', 'TGEFD_INGRESS_SECRET'];

export type Role = keyof typeof NEEDED;

/**
 * Puts the secrets of one Worker that it does not have yet. One that it has is never replaced: a first key is no rotation,
 * and `rotate` says in which order two values change places.
 */
export async function setUpSecrets(
  call: Call,
  worker: { readonly name: string; readonly role: Role },
  values: ReadonlyMap<string, string>,
  run: Run,
  outcome: Outcome,
): Promise<void> {
  run.out(`Secrets of the Worker ${worker.name}`);
  const path = `/workers/scripts/${encodeURIComponent(worker.name)}/secrets`;
  const listed = await call('GET', path);
  if (listed === null) {
    const what = `deploy ${worker.name} (wrangler deploy), then run this again for its secrets`;
    await perform(run, outcome, { what, run: null });
    return;
  }
  const names = new Set((Array.isArray(listed) ? listed : []).map((one) => member(one, 'name')));
  for (const name of NEEDED[worker.role]) {
    const text = valueFor(worker.role, name, values);
    if (names.has(name)) kept(run, outcome, `${name} is set`);
    else if (text !== undefined) {
      const put = async () => void (await call('PUT', path, { name, text, type: 'secret_text' }));
      await perform(run, outcome, { what: `set ${name}`, run: put });
    } else if (!OPTIONAL.includes(name)) {
      await perform(run, outcome, { what: `set ${name}: no value was given (--secrets, Upstash)`, run: null });
    }
  }
}

/** The value of a secret at a Worker, or undefined: the console only verifies manifests. */
function valueFor(role: Role, name: string, values: ReadonlyMap<string, string>): string | undefined {
  const text = values.get(name);
  return role === 'console' && name === 'TGEFD_AUDIT_SIGNING_KEY' && text !== undefined ? publicHalf(text) : text;
}

/** The public members of a private JWK (RFC 7517 §4, RFC 8037 §2, RFC 7518 §6.2), or undefined for what is none. */
function publicHalf(text: string): string | undefined {
  try {
    const { kty, crv, x, y, kid } = JSON.parse(text);
    return JSON.stringify({ kty, crv, x, y, kid });
  } catch {
    return undefined;
  }
}
