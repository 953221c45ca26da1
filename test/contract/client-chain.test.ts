import { execFileSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { createChainVerifier } from '../../lib/platform/node/tls/client-chain.ts';
import { opensslProgram } from '../support/certificates.ts';
import { pathOf } from '../support/debian.ts';
import { describeWith } from '../support/describe-with.ts';

const program = await opensslProgram();

interface Made {
  /** Signs as; null: itself. */
  readonly by: string | null;
  readonly extensions: string;
  readonly key?: 'weak';
  readonly digest?: 'sha1';
  readonly days?: number;
}

const authority = 'basicConstraints=critical,CA:true\nkeyUsage=critical,keyCertSign,cRLSign';
const client = 'basicConstraints=CA:false\nextendedKeyUsage=clientAuth';
const certificates: Readonly<Record<string, Made>> = {
  root: { by: null, extensions: authority },
  stranger: { by: null, extensions: authority },
  intermediate: { by: 'root', extensions: 'basicConstraints=critical,CA:true,pathlen:0\nkeyUsage=keyCertSign' },
  deeper: { by: 'intermediate', extensions: authority },
  constrained: { by: 'root', extensions: `${authority}\nnameConstraints=permitted;DNS:example.com` },
  server_authority: { by: 'root', extensions: `${authority}\nextendedKeyUsage=serverAuth` },
  no_signer: { by: 'root', extensions: 'basicConstraints=critical,CA:true\nkeyUsage=critical,cRLSign' },
  leaf: { by: 'root', extensions: client },
  any_purpose: { by: 'root', extensions: 'extendedKeyUsage=anyExtendedKeyUsage' },
  no_purpose: { by: 'root', extensions: 'basicConstraints=CA:false' },
  server: { by: 'root', extensions: 'extendedKeyUsage=serverAuth' },
  expired: { by: 'root', extensions: client, days: 1 },
  weak: { by: 'root', extensions: client, key: 'weak' },
  old_digest: { by: 'root', extensions: client, digest: 'sha1' },
  critical: { by: 'root', extensions: `${client}\n1.2.3.4=critical,ASN1:UTF8String:x` },
  below: { by: 'intermediate', extensions: client },
  far_below: { by: 'deeper', extensions: client },
  below_constrained: { by: 'constrained', extensions: client },
  below_server: { by: 'server_authority', extensions: client },
  below_no_signer: { by: 'no_signer', extensions: client },
  below_leaf: { by: 'leaf', extensions: client },
  foreign: { by: 'stranger', extensions: client },
};

describeWith([program], 'chains of client certificates', () => {
  let folder: string;
  const der = (name: string) => new Uint8Array(new X509Certificate(readFileSync(join(folder, `${name}.pem`))).raw);
  const verify = (chain: readonly string[], atMs = Date.now()) =>
    createChainVerifier([der('root')], () => atMs)(chain.map(der));

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'chains-'));
    const call = (...args: string[]) => execFileSync(pathOf(program), args, { cwd: folder, stdio: 'pipe' });
    for (const [name, { by, extensions, key, digest, days }] of Object.entries(certificates)) {
      const kind = key === 'weak' ? ['RSA', 'rsa_keygen_bits:1024'] : ['EC', 'ec_paramgen_curve:P-256'];
      call('genpkey', '-algorithm', kind[0] ?? '', '-pkeyopt', kind[1] ?? '', '-out', `${name}.key`);
      call('req', '-new', '-key', `${name}.key`, '-subj', `/CN=${name}`, '-out', `${name}.csr`);
      writeFileSync(join(folder, `${name}.ext`), extensions);
      const signer = by === null ? ['-signkey', `${name}.key`] : ['-CA', `${by}.pem`, '-CAkey', `${by}.key`];
      call(
        ...['x509', '-req', '-in', `${name}.csr`, '-out', `${name}.pem`, '-days', String(days ?? 30)],
        ...[
          `-${digest ?? 'sha256'}`,
          '-set_serial',
          String(Math.floor(Math.random() * 1e9)),
          '-extfile',
          `${name}.ext`,
        ],
        ...signer,
      );
    }
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test.each([
    ['the client’s alone, issued by the authority', ['leaf'], true],
    ['with the authority in it', ['leaf', 'root'], true],
    ['for any purpose', ['any_purpose'], true],
    ['without a purpose', ['no_purpose'], true],
    ['over an intermediate authority', ['below', 'intermediate'], true],
    ['with an authority that has nothing to do with it', ['below', 'stranger', 'intermediate'], true],
    ['for servers', ['server'], false],
    ['without its intermediate authority', ['below'], false],
    ['longer than an authority allows', ['far_below', 'deeper', 'intermediate'], false],
    ['over an authority with name constraints', ['below_constrained', 'constrained'], false],
    ['over an authority for servers', ['below_server', 'server_authority'], false],
    ['over an authority that may not sign certificates', ['below_no_signer', 'no_signer'], false],
    ['over a client’s certificate', ['below_leaf', 'leaf'], false],
    ['of another authority', ['foreign', 'stranger'], false],
    ['of an authority that names itself', ['stranger'], false],
    ['with a short RSA key', ['weak'], false],
    ['signed with SHA-1', ['old_digest'], false],
    ['with a critical extension that nobody here knows', ['critical'], false],
    ['of nothing', [], false],
    ['of too many certificates', ['leaf', ...Array.from({ length: 6 }, () => 'root')], false],
  ] as const)('%s', (_, chain, valid) => {
    expect(verify(chain)).toBe(valid);
  });

  test('before and after its validity', () => {
    expect(verify(['expired'])).toBe(true);
    expect(verify(['expired'], Date.now() + 2 * 86_400_000)).toBe(false);
    expect(verify(['leaf'], Date.now() - 86_400_000)).toBe(false);
    expect(verify(['leaf'], Date.now() + 31 * 86_400_000)).toBe(false);
  });

  test('are verified once in five minutes, and never believed beyond the end of a certificate', () => {
    const checks = vi.spyOn(X509Certificate.prototype, 'verify');
    let nowMs = Date.now();
    const verifier = createChainVerifier([der('root')], () => nowMs);
    const verified = (chain: readonly string[]) => {
      checks.mockClear();
      return [verifier(chain.map(der)), checks.mock.calls.length > 0];
    };
    expect(verified(['below', 'intermediate'])).toEqual([true, true]);
    expect(verified(['below', 'intermediate'])).toEqual([true, false]);
    expect(verified(['leaf'])).toEqual([true, true]);
    nowMs += 300_001;
    expect(verified(['below', 'intermediate'])).toEqual([true, true]);
    expect(verified(['foreign'])).toEqual([false, false]);
    const endMs = new X509Certificate(readFileSync(join(folder, 'expired.pem'))).validToDate.getTime();
    nowMs = endMs - 1000;
    expect(verified(['expired'])).toEqual([true, true]);
    expect(verified(['expired'])).toEqual([true, false]);
    nowMs = endMs + 1;
    expect(verified(['expired'])[0]).toBe(false);
    nowMs = endMs - 40 * 86_400_000;
    expect(verified(['expired'])[0]).toBe(false);
    checks.mockRestore();
  });

  test('of bytes that are no certificate', () => {
    const verifier = createChainVerifier([der('root')], Date.now);
    expect(verifier([new Uint8Array([0x30, 0])])).toBe(false);
    expect(verifier([der('leaf').subarray(0, 100)])).toBe(false);
    expect(verifier([der('leaf'), new Uint8Array([1, 2, 3])])).toBe(false);
  });
});
