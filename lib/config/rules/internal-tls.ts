import { egressTargets } from '../egress.ts';
import type { Problem } from '../problem.ts';
import { type Settings, variables } from '../variables.ts';

/**
 * What `TGEFD_INTERNAL_TLS_*` demand of each other and of the rest. Beside the other rules, since Node alone knows these
 * variables and the Worker need not carry them. Reads no file.
 */
export function internalTlsProblems(settings: Settings): readonly Problem[] {
  const { internalTlsHosts, internalTlsCertificateFile, internalTlsKeyFile, internalTlsCaFile } = settings;
  const problems: Problem[] = [];
  if (Boolean(internalTlsCertificateFile) !== Boolean(internalTlsKeyFile))
    problems.push({
      variable: variables[internalTlsKeyFile ? 'internalTlsCertificateFile' : 'internalTlsKeyFile'].name,
      found: 'nothing',
      accepted: 'both the certificate and its key, or neither',
    });
  const variable = variables.internalTlsHosts.name;
  const file = internalTlsCertificateFile ?? internalTlsCaFile;
  if (file !== null && internalTlsHosts.length === 0)
    problems.push({ variable, found: 'nothing', accepted: 'the hosts that are called by TGEFD_INTERNAL_TLS_*_FILE' });
  if (file === null && internalTlsHosts.length > 0)
    problems.push({ variable, found: 'hosts', accepted: 'hosts only beside TGEFD_INTERNAL_TLS_*_FILE' });
  const called = new Set(egressTargets(settings, null).map(({ host }) => host));
  for (const host of internalTlsHosts)
    if (!called.has(host))
      problems.push({ variable, found: `\`${host}\``, accepted: 'hosts that the configuration names' });
  return problems;
}
