import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createSecureContext, type SecureContext, type SecureContextOptions } from 'node:tls';
import { type Problem, problemLine } from '../../../config/problem.ts';
import type { Log } from '../../../decision/ports.ts';
import { watchFiles } from '../files/watch-files.ts';

/** A file in PEM, and the variable that names it. */
export interface TlsFile {
  readonly variable: string;
  readonly path: string;
}

/** The files of one end of TLS; certificate and key come together or not at all. */
export interface TlsFiles {
  readonly certificate: TlsFile | null;
  readonly key: TlsFile | null;
  /** Whose certificates the other end may have. */
  readonly authorities: TlsFile | null;
  readonly revocationLists: TlsFile | null;
}

/** A file that a variable names, or null where it names none. */
export function namedFile(variable: string, path: string | null | undefined): TlsFile | null {
  return path ? { variable, path } : null;
}

/** Those that are named at all. */
export function filesIn(files: TlsFiles): readonly TlsFile[] {
  return Object.values(files).flatMap((file: TlsFile | null) => file ?? []);
}

/** Files that can be used together. */
export type TlsMaterial = Extract<TlsRead, { ok: true }>;

/** Files that can be used together, or the first thing that is wrong with them; never what is in them. */
export type TlsRead =
  | { readonly ok: true; readonly options: SecureContextOptions; readonly context: SecureContext }
  | { readonly ok: false; readonly problem: Problem };

type Checked<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly problem: Problem };

/**
 * Reads the files of one end of TLS (1.2 at least). Half a file, a key of another certificate, and a file without what
 * it should hold are problems: Node itself would take an empty list of authorities or revocations for leave to trust
 * nobody, or to check nothing. Looks neither at who issued the certificate nor at its dates.
 */
export function readTlsFiles({ certificate, key, authorities, revocationLists }: TlsFiles): TlsRead {
  const read = {
    cert: certificate && readWith(certificate, 'certificates in PEM', certificates),
    key: key && readWith(key, 'a private key in PEM, not encrypted', createPrivateKey),
    ca: authorities && readWith(authorities, 'certificates in PEM', certificates),
    crl: revocationLists && readWith(revocationLists, 'revocation lists in PEM', blocks('X509 CRL')),
  };
  for (const each of Object.values(read)) if (each && !each.ok) return each;
  const options: SecureContextOptions = { minVersion: 'TLSv1.2' };
  if (read.cert?.ok) options.cert = read.cert.value.join('\n');
  if (read.key?.ok) options.key = read.key.value.export({ type: 'pkcs8', format: 'pem' });
  if (read.ca?.ok) options.ca = read.ca.value;
  if (read.crl?.ok) options.crl = read.crl.value;
  if (certificate && key && read.cert?.ok && read.key?.ok && !belongs(read.cert.value, read.key.value)) {
    return wrong(key, 'a key of another certificate', `the key of ${certificate.variable}`);
  }
  try {
    return { ok: true, options, context: createSecureContext(options) };
  } catch (error) {
    const file = revocationLists ?? certificate ?? authorities;
    if (!file) throw error;
    return wrong(file, `a file that TLS cannot use (${codeOf(error)})`, 'another');
  }
}

/**
 * Reads the files again whenever they change, and hands on what can be used together. What cannot changes nothing, and is said
 * once as `failure`. Gives what ends the watch.
 */
export function watchTlsFiles(
  files: TlsFiles,
  log: Log,
  failure: string,
  replace: (next: TlsMaterial) => void,
): () => void {
  let said = '';
  const changed = () => {
    const next = readTlsFiles(files);
    const problem = next.ok ? '' : problemLine(next.problem);
    if (problem !== '' && problem !== said) log('error', failure, { problem });
    said = problem;
    if (next.ok) replace(next);
  };
  return watchFiles(
    filesIn(files).map(({ path }) => path),
    changed,
  );
}

function readWith<T>(file: TlsFile, accepted: string, parse: (pem: string) => T): Checked<T> {
  let pem: string;
  try {
    pem = readFileSync(file.path, 'latin1');
  } catch (error) {
    return wrong(file, `a file that cannot be read (${codeOf(error)})`, accepted);
  }
  try {
    return { ok: true, value: parse(pem) };
  } catch {
    return wrong(file, 'a file that holds something else, or half of it', accepted);
  }
}

/** Each block of one kind; Node reads only the first list of a text, and takes none for leave to check nothing. */
function blocks(label: string) {
  return (pem: string): string[] => {
    const begun = pem.split(`-----BEGIN ${label}-----`).length - 1;
    const whole = pem.match(new RegExp(`-----BEGIN ${label}-----[^-]+-----END ${label}-----`, 'g')) ?? [];
    if (begun === 0 || whole.length !== begun) throw new Error('not whole');
    return whole;
  };
}

function certificates(pem: string): string[] {
  const found = blocks('CERTIFICATE')(pem);
  for (const each of found) new X509Certificate(each);
  return found;
}

function belongs([leaf = '']: readonly string[], key: KeyObject): boolean {
  return new X509Certificate(leaf).checkPrivateKey(key);
}

function wrong({ variable }: TlsFile, found: string, accepted: string) {
  return { ok: false, problem: { variable, found, accepted } } as const;
}

function codeOf(error: unknown): string {
  return (error as { code?: string }).code ?? 'unknown';
}
