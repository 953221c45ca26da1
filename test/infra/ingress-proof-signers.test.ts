import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { stripTypeScriptTypes } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { ingressFields } from '../../lib/request/field-names.ts';
import { createIngressProofCheck } from '../../lib/request/ingress-proof.ts';
import { ensurePackage, pathOf } from '../support/debian.ts';
import { describeWith } from '../support/describe-with.ts';

/* The signers of docs/explanation/trust-boundary.md, as they stand there, against the check. */

const SECRET = 'an ingress secret of 32 bytes, 1';
const COVERED = ingressFields(['x-auth-request-user']);
const njs = await ensurePackage('njs', ['njs']);
function documented(file: string) {
  return readFile(new URL(`../../docs/${file}`, import.meta.url), 'utf8');
}
const check = createIngressProofCheck([SECRET], COVERED);

test('the TypeScript signer of the documentation', async () => {
  const [, code = ''] = (await documented('explanation/trust-boundary.md')).match(/```ts\n([\s\S]*?)```/) ?? [];
  const module = Buffer.from(stripTypeScriptTypes(code)).toString('base64');
  const { ingressProof } = await import(`data:text/javascript;base64,${module}`);
  const request = {
    method: 'POST',
    target: '/v1/discover?a=1',
    headers: new Headers({
      host: 'gateway.example.com',
      'x-forwarded-for': '203.0.113.9',
      'x-auth-request-user': 'alice',
    }),
  };
  const proof = await ingressProof(SECRET, request, COVERED);
  expect(await check(proof, request, Date.now())).toBeNull();
  expect(await check(proof, { ...request, method: 'PUT' }, Date.now())).toBe('mismatch');
});

describeWith([njs], 'the njs signer of the documentation', () => {
  const variables = {
    request_id: '0123456789abcdef0123456789abcdef',
    request_uri: '/v1/discover?a=%20',
    remote_addr: '203.0.113.9',
    host: 'api.example.com',
    scheme: 'https',
    ssl_client_verify: 'SUCCESS',
    ssl_client_s_dn: 'CN=Andr\u00e9,O=acme',
    ssl_client_escaped_cert: '',
  };
  /** The fields that nginx sends for these variables, one character an octet, as they reach the authorizer. */
  const headers = new Headers({
    host: 'gateway.example.com',
    'x-forwarded-for': variables.remote_addr,
    'x-forwarded-host': variables.host,
    'x-forwarded-proto': variables.scheme,
    'x-request-id': variables.request_id,
    'ssl-client-verify': variables.ssl_client_verify,
    'ssl-client-subject-dn': Buffer.from(variables.ssl_client_s_dn).toString('latin1'),
  });

  test('signs what nginx sends', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'tgefd-njs-'));
    const signer = await documented('proxies/ingress-proof.njs');
    expect(signer).toContain("'/etc/nginx/tgefd-ingress-secret'");
    await writeFile(join(folder, 'secret'), `${SECRET}\n`);
    await writeFile(
      join(folder, 'signer.js'),
      signer.replace('/etc/nginx/tgefd-ingress-secret', join(folder, 'secret')),
    );
    await writeFile(
      join(folder, 'main.js'),
      `import signer from 'signer.js';\nconsole.log(signer.sign({ method: 'POST', variables: ${JSON.stringify(variables)} }));\n`,
    );
    const { stdout } = await promisify(execFile)(pathOf(njs), ['-p', folder, join(folder, 'main.js')]);
    await rm(folder, { recursive: true });
    const request = { method: 'POST', target: variables.request_uri, headers };
    expect(await check(stdout.trim(), request, Date.now())).toBeNull();
    expect(await check(stdout.trim(), { ...request, target: '/v1/evaluate' }, Date.now())).toBe('mismatch');
  });
});
