import { chmod, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { ensurePackage, type Program, pathOf } from '../support/debian.ts';
import {
  haproxyProgram,
  nginxProgram,
  type StartedProxy,
  startHaproxy,
  startNginx,
  startProxy,
} from '../support/proxy.ts';
import type { Issuer } from './tokens.ts';

/** A proxy of Debian that verifies tokens itself, all checks of claims alike: started, or why it is not to be had. */
export interface ProxyPeer {
  readonly name: string;
  readonly started: StartedProxy | { readonly missing: string };
}

function template(name: string) {
  return readFile(join(import.meta.dirname, 'peers', name), 'utf8');
}

/** In one pass: what is put in may itself look like a name. */
function filled(text: string, values: Readonly<Record<string, string>>): string {
  return text.replace(new RegExp(Object.keys(values).join('|'), 'g'), (name) => values[name] ?? name);
}

function missingOf(programs: readonly Program[]): string | null {
  return programs.map((program) => ('missing' in program ? program.missing : null)).find((why) => why !== null) ?? null;
}

/** Starts HAProxy `jwt_verify`, Apache mod_auth_openidc and nginx njs, each where Debian's packages can be had. */
export async function startProxyPeers({ issuer, audience, keyId, publicPem }: Issuer): Promise<ProxyPeer[]> {
  const names = { ISSUER: issuer, AUDIENCE: audience, KID: keyId };
  const spki = publicPem.replace(/-----[^-]+-----|\n/g, '');

  const haproxy = async () => {
    const program = await haproxyProgram();
    const missing = missingOf([program]);
    if (missing !== null) return { missing };
    const text = await template('haproxy.cfg');
    return startHaproxy(program, {
      config: (port, folder) => filled(text, { PORT: `${port}`, KEY: join(folder, 'key.pem'), ...names }),
      files: { 'key.pem': publicPem },
    });
  };

  const apache = async () => {
    const program = await ensurePackage('apache2', ['apache2-bin']);
    const openidc = await ensurePackage('/usr/lib/apache2/modules/mod_auth_openidc.so', [
      'libapache2-mod-auth-openidc',
    ]);
    const missing = missingOf([program, openidc]);
    if (missing !== null) return { missing };
    const text = await template('apache.conf');
    const config = (port: number, folder: string) =>
      filled(text, { PORT: `${port}`, FOLDER: folder, MODULES: dirname(pathOf(openidc)), ...names });
    const files = { 'key.pem': publicPem, 'begun.lua': await template('apache-begun.lua'), answer: '' };
    const proxy = await startProxy({ config, files }, 'apache.conf', (folder) => ({
      command: pathOf(program),
      args: ['-DFOREGROUND', '-f', join(folder, 'apache.conf')],
      env: {},
    }));
    await chmod(proxy.folder, 0o755); // Its workers are not root, and read the answer and the script in there.
    return proxy;
  };

  const nginx = async () => {
    const program = await nginxProgram();
    const njs = await ensurePackage('/usr/lib/nginx/modules/ngx_http_js_module.so', ['libnginx-mod-http-js']);
    const missing = missingOf([program, njs]);
    if (missing !== null) return { missing };
    const [text, verify] = await Promise.all([template('nginx-njs.conf'), template('verify.njs')]);
    return startNginx(program, {
      config: (port, folder) => filled(text, { PORT: `${port}`, FOLDER: folder, MODULE: pathOf(njs) }),
      files: { 'verify.njs': filled(verify, { SPKI: spki, ...names }) },
    });
  };

  return [
    { name: 'HAProxy jwt_verify', started: await haproxy() },
    { name: 'Apache mod_auth_openidc', started: await apache() },
    { name: 'nginx njs', started: await nginx() },
  ];
}
