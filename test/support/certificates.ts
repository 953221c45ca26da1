import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { ensurePackage, type Program, pathOf } from './debian.ts';

const run = promisify(execFile);

/** A certificate that was just issued, with its key. */
export interface IssuedCertificate {
  readonly pem: string;
  readonly der: Uint8Array;
  readonly keyPem: string;
}

export interface CertificateRequest {
  /** OpenSSL's slash form; a `+` joins two attributes of one name. */
  readonly subject: string;
  /** As OpenSSL writes them: `URI:…`, `DNS:…`, `email:…`, `IP:…`. */
  readonly subjectAltNames?: readonly string[];
  readonly notBefore?: Date;
  readonly notAfter?: Date;
  readonly usage?: 'clientAuth' | 'serverAuth';
}

/** A certificate authority made for one test. Its keys are thrown away with it. */
export interface Authority {
  readonly pem: string;
  issue(request: CertificateRequest): Promise<IssuedCertificate>;
  revoke(certificate: IssuedCertificate): Promise<void>;
  /** The current list of revoked certificates, in PEM. */
  revocationList(validity?: { readonly lastUpdate: Date; readonly nextUpdate: Date }): Promise<string>;
  stop(): Promise<void>;
}

/** The openssl of the machine, installed where it can be. */
export function opensslProgram(): Promise<Program> {
  return ensurePackage('openssl', ['openssl']);
}

/** Makes an authority named `name` in a temporary folder. */
export async function startAuthority(program: Program, name = 'Test authority'): Promise<Authority> {
  const openssl = pathOf(program);
  const folder = await mkdtemp(join(tmpdir(), 'tgefd-authority-'));
  const inside = (file: string) => join(folder, file);
  const call = (...args: string[]) => run(openssl, args, { cwd: folder });
  const newKey = async (file: string) => {
    await call('genpkey', '-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256', '-out', file);
  };
  let issued = 0;

  await writeFile(inside('ca.cnf'), configuration);
  await writeFile(inside('index.txt'), '');
  await writeFile(inside('index.txt.attr'), 'unique_subject = no\n');
  await writeFile(inside('serial'), '1000\n');
  await writeFile(inside('crlnumber'), '01\n');
  await newKey('ca.key');
  await call(
    'req',
    '-x509',
    '-new',
    '-key',
    'ca.key',
    '-out',
    'ca.pem',
    '-days',
    '36500',
    '-config',
    'ca.cnf',
    '-extensions',
    'authority',
    '-subj',
    `/CN=${name}`,
  );

  return {
    pem: await readFile(inside('ca.pem'), 'utf8'),
    async issue({ subject, subjectAltNames = [], notBefore, notAfter, usage = 'clientAuth' }) {
      const file = `leaf-${issued++}`;
      const names = subjectAltNames.length > 0 ? [`subjectAltName=${subjectAltNames.join(',')}`] : [];
      await writeFile(inside(`${file}.ext`), [`extendedKeyUsage=${usage}`, ...names].join('\n'));
      await newKey(`${file}.key`);
      await call(
        'req',
        '-new',
        '-utf8',
        '-key',
        `${file}.key`,
        '-out',
        `${file}.csr`,
        '-config',
        'ca.cnf',
        '-subj',
        subject,
        '-multivalue-rdn',
      );
      await call(
        'ca',
        '-batch',
        '-notext',
        '-utf8',
        '-config',
        'ca.cnf',
        '-in',
        `${file}.csr`,
        '-out',
        `${file}.pem`,
        '-extfile',
        `${file}.ext`,
        '-preserveDN',
        '-multivalue-rdn',
        '-startdate',
        asn1Time(notBefore ?? new Date(Date.now() - 3_600_000)),
        '-enddate',
        asn1Time(notAfter ?? new Date(Date.now() + 86_400_000)),
      );
      const pem = await readFile(inside(`${file}.pem`), 'utf8');
      const der = Buffer.from(pem.replace(/-----[^-]+-----|\s/g, ''), 'base64');
      return { pem, der: new Uint8Array(der), keyPem: await readFile(inside(`${file}.key`), 'utf8') };
    },
    async revoke({ pem }) {
      await writeFile(inside('revoked.pem'), pem);
      await call('ca', '-config', 'ca.cnf', '-revoke', 'revoked.pem');
    },
    async revocationList(validity) {
      const dates = validity
        ? ['-crl_lastupdate', asn1Time(validity.lastUpdate), '-crl_nextupdate', asn1Time(validity.nextUpdate)]
        : [];
      await call('ca', '-config', 'ca.cnf', '-gencrl', '-out', 'crl.pem', ...dates);
      return readFile(inside('crl.pem'), 'utf8');
    },
    stop: () => rm(folder, { recursive: true, force: true }),
  };
}

/** `YYYYMMDDHHMMSSZ`. */
function asn1Time(date: Date): string {
  return `${date.toISOString().replace(/\D/g, '').slice(0, 14)}Z`;
}

const configuration = `
[ca]
default_ca = made
[made]
dir = .
new_certs_dir = .
database = index.txt
serial = serial
crlnumber = crlnumber
certificate = ca.pem
private_key = ca.key
default_md = sha256
default_days = 1
default_crl_days = 1
policy = any
email_in_dn = yes
copy_extensions = none
string_mask = utf8only
[any]
commonName = optional
[req]
distinguished_name = nothing
string_mask = utf8only
[nothing]
[authority]
basicConstraints = critical,CA:true
keyUsage = critical,keyCertSign,cRLSign
subjectKeyIdentifier = hash
`;
