import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { opensslProgram, startAuthority } from '../support/certificates.ts';
import { startChild } from '../support/child.ts';
import { ensurePackage } from '../support/debian.ts';
import { documentedProxies } from '../support/documented-proxies.ts';
import type { DoorEnv } from '../support/door.ts';
import { type Issuer, startIssuer } from '../support/issuer.ts';
import { startNodeDoor } from '../support/node-door.ts';
import { haproxyProgram, startHaproxy } from '../support/proxy.ts';
import { redisProgram } from '../support/redis.ts';
import { startUpstream, type Upstream } from '../support/upstream.ts';

const execute = promisify(execFile);
const PSEUDONYM_KEY = 'a pseudonym key of more than thirty-two bytes';

/** The Node door as in production, behind the documented nginx, with everything it speaks to. */
export interface LoadSetting {
  readonly issuer: Issuer;
  readonly upstream: Upstream;
  readonly door: { readonly port: number; readonly pid: number };
  readonly proxy: { readonly port: number };
  /** Records in the outbox. */
  records(): Promise<number>;
  /** What `policy shadow --json` prints about them. */
  shadow(): Promise<string>;
  stop(): Promise<void>;
}

/** The programs without which there is no load test: nginx, redis-server, HAProxy and openssl. */
export async function loadPrograms() {
  const [proxies, ...others] = await Promise.all([
    documentedProxies(),
    redisProgram(),
    haproxyProgram(),
    opensslProgram(),
  ]);
  const nginx = proxies.find(({ door }) => door === 'nginx');
  return [nginx?.program ?? (await ensurePackage('nginx', ['nginx-light'])), ...others] as const;
}

/**
 * Starts all of it. `TGEFD_ENV` is production: key set and Redis are reached over TLS, which HAProxy ends, records are durable before an
 * answer leaves, revocations and budgets are in Redis. The one exception: nginx itself is asked over plain HTTP.
 * `more` adds variables. Throws where a program is not to be had.
 */
export async function startLoadSetting(more: DoorEnv): Promise<LoadSetting> {
  const [, , haproxy, openssl] = await loadPrograms();
  const nginx = (await documentedProxies()).find(({ door }) => door === 'nginx');
  if (!nginx) throw new Error('nginx is not documented');
  const stops: (() => Promise<unknown>)[] = [];
  const kept = <T extends { stop(): Promise<unknown> }>(part: T): T => {
    stops.unshift(part.stop);
    return part;
  };
  const stop = async () => {
    for (const one of stops) await one();
  };
  try {
    const authority = kept(await startAuthority(openssl));
    const server = await authority.issue({
      subject: '/CN=localhost',
      subjectAltNames: ['DNS:localhost'],
      usage: 'serverAuth',
    });
    const issuer = kept(await startIssuer());
    const upstream = kept(await startUpstream());
    const redis = kept(
      await startChild({
        command: process.execPath,
        args: [join(import.meta.dirname, '../support/redis-service.ts')],
        ready: (lines) => lines.some((line) => line.startsWith('{')),
      }),
    );
    const { url, token } = JSON.parse(redis.lines.find((line) => line.startsWith('{')) ?? '{}');
    const tls = kept(
      await startHaproxy(haproxy, {
        files: { 'tls.pem': `${server.pem}\n${server.keyPem}`, 'ca.pem': authority.pem },
        config: (port, folder) => `
defaults
  mode http
  timeout connect 5s
  timeout client 60s
  timeout server 60s
frontend tls
  bind 127.0.0.1:${port} ssl crt ${folder}/tls.pem
  use_backend issuer if { path /jwks }
  default_backend redis
backend issuer
  server issuer ${new URL(issuer.url).host}
backend redis
  server redis ${new URL(url).host}
`,
      }),
    );
    const door = kept(
      await startNodeDoor({
        NODE_EXTRA_CA_CERTS: join(tls.folder, 'ca.pem'),
        TGEFD_AUTH_MODE: 'jwt',
        TGEFD_JWKS_URL: `https://localhost:${tls.port}/jwks`,
        TGEFD_JWT_ISSUER: issuer.url,
        TGEFD_JWT_AUDIENCE: issuer.audience,
        TGEFD_JWT_ALLOWED_ALGS: 'RS256,PS256,ES256,EdDSA',
        TGEFD_FORWARD_AUTH: 'nginx',
        TGEFD_TRUSTED_PROXIES: '127.0.0.1/32',
        TGEFD_REQUIRE_TLS: 'false',
        TGEFD_REDIS_URL: `https://localhost:${tls.port}`,
        TGEFD_REDIS_TOKEN: token,
        TGEFD_AUDIT_PSEUDONYM_KEY: PSEUDONYM_KEY,
        TGEFD_METRICS_ENABLED: 'true',
        ...more,
      }),
    );
    const proxy = kept(await nginx.start(door.port, upstream.port));
    return {
      issuer,
      upstream,
      door,
      proxy,
      async records() {
        const answer = await fetch(url, {
          method: 'POST',
          headers: { authorization: `Bearer ${token}` },
          body: JSON.stringify(['XLEN', 'tgefd:v1:audit']),
        });
        return Number(((await answer.json()) as { result: number }).result);
      },
      async shadow() {
        const { stdout } = await execute(
          process.execPath,
          [join(import.meta.dirname, '../../functions/cli.ts'), 'policy', 'shadow', '--since', '1h', '--json'],
          {
            env: {
              TGEFD_ENV: 'development',
              TGEFD_UPSTREAM_URL: upstream.url,
              TGEFD_REDIS_URL: url,
              TGEFD_REDIS_TOKEN: token,
              TGEFD_AUDIT_PSEUDONYM_KEY: PSEUDONYM_KEY,
            },
            maxBuffer: 64 * 1024 * 1024,
          },
        );
        return stdout;
      },
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}
