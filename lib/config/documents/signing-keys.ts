import { type AssertionKey, parseAssertionKey } from '../../respond/assertion-key.ts';
import { variables } from '../variables.ts';
import type { Documents } from './documents.ts';
import type { Report } from './report.ts';

/** The keys that sign assertions, and those that sign manifests: public ones too, where nothing is signed with them. */
export function readSigningKeys(
  report: Report,
  verifiesOnly: boolean,
): Pick<Documents, 'assertionKeys' | 'auditSigningKeys'> {
  const assertionKeys = keysOf(report, 'assertionKey', false);
  const auditSigningKeys = keysOf(report, 'auditSigningKey', verifiesOnly);
  const [first] = assertionKeys;
  if (report.settings.issuerUrl && first && first.algorithm !== 'ES256')
    report.problem({
      variable: variables.assertionKey.name,
      found: `a key for ${first.algorithm}`,
      accepted: 'with TGEFD_ISSUER_URL a private JWK for ES256, since clouds take no other',
    });
  return { assertionKeys, auditSigningKeys };
}

function keysOf(report: Report, key: 'assertionKey' | 'auditSigningKey', verifiesOnly: boolean): AssertionKey[] {
  const secret = report.settings[key];
  const given = [
    [secret?.current, ''],
    [secret?.previous, '_PREVIOUS'],
  ] as const;
  return given.flatMap(([text, suffix]) => {
    if (text == null) return [];
    const parsed = parseAssertionKey(text, verifiesOnly || (key === 'auditSigningKey' && suffix !== ''));
    if (parsed.ok) return [parsed.key];
    report.fault(key, parsed.problem, suffix);
    return [];
  });
}
