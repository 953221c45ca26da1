import type { HeaderFields } from '../decision/request.ts';
import { ASSERTING_FAMILIES, ASSERTING_FIELDS, CONNECTION_FIELDS } from './field-names.ts';
import { parseTraceparent } from './trace-context.ts';

export interface FieldRuleSettings {
  /** Every configured name under which an identity, certificate, scope or role is believed or goes upstream. */
  readonly identityHeaders: readonly string[];
  /** Fields that may carry a credential: `authorization`, `x-api-key`, the configured token field. */
  readonly credentialHeaders: readonly string[];
  /** Whether the caller's credential fields go upstream as they came (`TGEFD_FORWARD_CREDENTIALS`). */
  readonly forwardCredentials: boolean;
}

export interface FieldRules {
  /** Whether a field of this name, in lower case, stays behind. */
  removes(name: string): boolean;
}

/** Names whose verdict is remembered; a caller may invent as many as it likes. */
const MAX_REMEMBERED = 512;
const MAX_REMEMBERED_LENGTH = 64;
/** Values of `Connection` that name no field to remove. */
const COMMON_CONNECTIONS = new Set(['close', 'keep-alive', 'upgrade', 'keep-alive, upgrade']);

/**
 * Takes the configured names; gives the rules by which `upstreamFields` removes. A name is compared with everything but
 * letters and digits read as `-`, since a CGI-like upstream takes `x_auth_request_user` and `x.auth.request.user` for
 * `x-auth-request-user`; such a spelling of a credential field stays behind even where credentials are forwarded.
 */
export function createFieldRules(settings: FieldRuleSettings): FieldRules {
  const credentials = new Set(settings.credentialHeaders.map(plainName));
  const names = new Set([...CONNECTION_FIELDS, ...ASSERTING_FIELDS, ...settings.identityHeaders].map(plainName));
  const remembered = new Map<string, boolean>();

  const decide = (name: string): boolean => {
    const plain = plainName(name);
    if (credentials.has(plain)) return !settings.forwardCredentials || plain !== name;
    return names.has(plain) || ASSERTING_FAMILIES.some((family) => plain.startsWith(family));
  };

  return {
    removes: (name) => {
      const known = remembered.get(name);
      if (known !== undefined) return known;
      const verdict = decide(name);
      if (remembered.size < MAX_REMEMBERED && name.length <= MAX_REMEMBERED_LENGTH) remembered.set(name, verdict);
      return verdict;
    },
  };
}

/**
 * Takes the fields of a request as received; gives those that may go upstream, names in lower case, repetitions and
 * order kept. Left out: fields of the connection and whatever `Connection` names (RFC 9110 §7.6.1), those the transport
 * writes (`host`, `content-length`), every field that asserts an identity, a certificate, an address or another method or
 * target, whoever sent it, the credential unless it is to be forwarded, and `tracestate` without a valid `traceparent`
 * (W3C Trace Context §3.3). Our own fields are added to the result, never looked for in it: `Connection` cannot name them
 * away. Does not check values.
 */
export function upstreamFields(headers: HeaderFields, rules: FieldRules): [string, string][] {
  const named = namedByConnection(headers.get('connection'));
  const fields: [string, string][] = [];
  for (const [receivedName, value] of headers) {
    const name = receivedName.toLowerCase();
    if (rules.removes(name) || named?.has(name)) continue;
    if (name === 'tracestate' && parseTraceparent(headers.get('traceparent')) === null) continue;
    fields.push([name, value]);
  }
  return fields;
}

function plainName(name: string): string {
  return name.toLowerCase().replace(/[^a-z0-9]/g, '-');
}

function namedByConnection(value: string | null): ReadonlySet<string> | null {
  if (value === null) return null;
  const options = value.toLowerCase();
  return COMMON_CONNECTIONS.has(options) ? null : new Set(options.split(',').map((option) => option.trim()));
}
