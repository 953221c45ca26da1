import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readTlsFiles, type TlsFiles } from '../../../../../lib/platform/node/tls/tls-files.ts';
import { type Authority, opensslProgram, startAuthority } from '../../../../support/certificates.ts';
import { describeWith } from '../../../../support/describe-with.ts';

const openssl = await opensslProgram();

describeWith([openssl], 'files of TLS', () => {
  let folder: string;
  let authority: Authority;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'tgefd-tls-files-'));
    authority = await startAuthority(openssl);
    const [ours, other] = await Promise.all([
      authority.issue({ subject: '/CN=ours' }),
      authority.issue({ subject: '/CN=other' }),
    ]);
    const list = await authority.revocationList();
    const files = {
      'tls.crt': ours.pem,
      'tls.key': ours.keyPem,
      'other.key': other.keyPem,
      'ca.pem': authority.pem,
      'both.pem': `# two\n${authority.pem}\n${ours.pem}`,
      'half.pem': `${authority.pem}\n${ours.pem.slice(0, 150)}`,
      'text.pem': 'no certificate',
      'empty.pem': '',
      'damaged.pem': authority.pem.replace(/\n[A-Za-z0-9+/=]{20}/, '\n'),
      'list.crl': list,
    };
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  }, 60_000);
  afterAll(async () => {
    rmSync(folder, { recursive: true, force: true });
    await authority?.stop();
  });

  const read = (names: Partial<Record<keyof TlsFiles, string>>) => {
    const file = (key: keyof TlsFiles) =>
      names[key] === undefined ? null : { variable: key.toUpperCase(), path: join(folder, names[key]) };
    const found = readTlsFiles({
      certificate: file('certificate'),
      key: file('key'),
      authorities: file('authorities'),
      revocationLists: file('revocationLists'),
    });
    return found.ok ? 'usable' : `${found.problem.variable}: ${found.problem.found}`;
  };
  const something = 'a file that holds something else, or half of it';

  test.each([
    ['a pair', { certificate: 'tls.crt', key: 'tls.key' }, 'usable'],
    ['a pair with authorities', { certificate: 'tls.crt', key: 'tls.key', authorities: 'both.pem' }, 'usable'],
    ['authorities and their list', { authorities: 'ca.pem', revocationLists: 'list.crl' }, 'usable'],
    ['another key', { certificate: 'tls.crt', key: 'other.key' }, 'KEY: a key of another certificate'],
    ['half a bundle', { authorities: 'half.pem' }, `AUTHORITIES: ${something}`],
    ['text', { authorities: 'text.pem' }, `AUTHORITIES: ${something}`],
    ['nothing yet', { authorities: 'empty.pem' }, `AUTHORITIES: ${something}`],
    ['a damaged certificate', { authorities: 'damaged.pem' }, `AUTHORITIES: ${something}`],
    ['no list', { authorities: 'ca.pem', revocationLists: 'empty.pem' }, `REVOCATIONLISTS: ${something}`],
    ['no key', { certificate: 'tls.crt', key: 'ca.pem' }, `KEY: ${something}`],
    ['no file', { authorities: 'gone.pem' }, 'AUTHORITIES: a file that cannot be read (ENOENT)'],
  ] as const)('%s', (_, names, told) => {
    expect(read(names)).toBe(told);
  });
});
