import type { Problem } from '../../../config/problem.ts';
import { type Settings, variables } from '../../../config/variables.ts';
import { namedFile, readTlsFiles, type TlsFiles, type TlsMaterial } from './tls-files.ts';

/** The files of the server's own TLS, as they were read at the start. */
export interface ServerTls {
  readonly files: TlsFiles;
  readonly first: TlsMaterial;
}

/** The server's own TLS when the configuration names files for it, null when it does not, or why they cannot be used. */
export function readServerTls(settings: Settings): ServerTls | Problem | null {
  const file = (key: 'tlsCertificateFile' | 'tlsKeyFile' | 'tlsClientCaFile' | 'tlsClientCrlFile') =>
    namedFile(variables[key].name, settings[key]);
  const files = {
    certificate: file('tlsCertificateFile'),
    key: file('tlsKeyFile'),
    authorities: file('tlsClientCaFile'),
    revocationLists: file('tlsClientCrlFile'),
  };
  if (files.certificate === null) return null;
  const first = readTlsFiles(files);
  return first.ok ? { files, first } : first.problem;
}

/** What is wrong with the server's own TLS files. */
export function serverTlsProblems(settings: Settings): readonly Problem[] {
  const tls = readServerTls(settings);
  return tls !== null && 'found' in tls ? [tls] : [];
}
