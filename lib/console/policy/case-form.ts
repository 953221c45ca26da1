import { parseStrictJson } from '../../codec/strict-json.ts';
import { type PolicyCase, policyCase } from '../../policy/cases/case.ts';

/** A case as it was typed in. */
export interface CaseForm {
  readonly method: string;
  readonly path: string;
  /** Claims of a token as JSON; empty: no token. */
  readonly claims: string;
  /** Subject of a client certificate; empty: none. */
  readonly certificate: string;
}

export const NO_CASE: CaseForm = { method: 'GET', path: '', claims: '', certificate: '' };

export function caseFormOf(form: URLSearchParams): CaseForm {
  const text = (name: string) => (form.get(name) ?? '').trim();
  return {
    method: text('method').toUpperCase(),
    path: text('path'),
    claims: text('claims'),
    certificate: text('certificate'),
  };
}

/** The case of the form, as a file of `policy test` would have it, or what is wrong with it. */
export function caseOf(asked: CaseForm): PolicyCase | string {
  const { method, path, claims, certificate } = asked;
  if (!/^[A-Z-]{1,32}$/.test(method)) return 'A method has letters and hyphens only.';
  if (!path.startsWith('/')) return 'A path begins with a slash, such as /v1/jobs/42.';
  const parsed = claims === '' ? undefined : parseStrictJson(claims);
  if (claims !== '' && (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)))
    return 'Claims are a JSON object, such as {"sub": "alice", "scope": "jobs"}.';
  const read = policyCase.safeParse({
    request: { method, path },
    ...(parsed === undefined ? {} : { claims: parsed }),
    ...(certificate === '' ? {} : { certificate: { subject: certificate } }),
    expect: {},
  });
  return read.success ? read.data : 'The case cannot be read.';
}
