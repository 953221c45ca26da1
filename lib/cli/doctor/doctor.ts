import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { type Command, type Console, options, Usage } from '../command.ts';
import { adviceFor, type ProxyName } from './advice.ts';
import { createDoctorClient } from './client.ts';
import { createEchoServer } from './echo.ts';
import { doctorEvent } from './event.ts';
import { type Examination, examineIngress } from './ingress.ts';
import { doctorToken } from './token.ts';

const proxies: readonly ProxyName[] = ['nginx', 'caddy', 'traefik', 'envoy'];
const optionsOfIngress = {
  url: { type: 'string' },
  proxy: { type: 'string' },
  ca: { type: 'string' },
  connect: { type: 'string' },
  cert: { type: 'string' },
  key: { type: 'string' },
  header: { type: 'string', multiple: true, default: [] as string[] },
} as const;

/** Headers that the configuration of this environment believes, should the doctor run beside it. */
function believedNames(env: Console['env']): string[] {
  return [
    'TGEFD_IDENTITY_HEADER',
    'TGEFD_MTLS_IDENTITY_HEADER',
    'TGEFD_MTLS_SCOPES_HEADER',
    'TGEFD_MTLS_ROLE_HEADER',
  ].flatMap((name) => env[name] ?? []);
}

async function ingress(args: readonly string[], console: Console): Promise<number> {
  const { values } = options(args, optionsOfIngress);
  if (values.url === undefined || !/^https?:$/.test(URL.canParse(values.url) ? new URL(values.url).protocol : ''))
    throw new Usage('--url is where strangers reach the ingress, such as https://api.example.com');
  const secret = console.env.TGEFD_DOCTOR_SECRET;
  if (!secret) throw new Usage('TGEFD_DOCTOR_SECRET must hold the secret that the authorizer was started with');
  const proxy = proxies.find((each) => each === values.proxy);
  if (values.proxy !== undefined && !proxy) throw new Usage(`--proxy is one of ${proxies.join(', ')}`);

  const text = async (path: string | undefined) => (path === undefined ? null : readFile(path, 'utf8'));
  const [ca, cert, key] = await Promise.all([text(values.ca), text(values.cert), text(values.key)]);
  const letters = crypto.getRandomValues(new Uint8Array(12));
  const mark = `forged${Array.from(letters, (octet) => String.fromCharCode(97 + (octet % 26))).join('')}`;
  const found = await examineIngress(
    createDoctorClient(new URL(values.url), { secret, ca, cert, key, connect: values.connect ?? null }),
    {
      mark,
      configured: [...believedNames(console.env), ...values.header],
    },
  );
  if (found.failed !== null) {
    console.err(`not examined: ${found.failed}`);
    return 2;
  }
  tell(found, proxy ?? proxies.find((each) => each === found.door) ?? 'nginx', console);
  return found.holes.length > 0 ? 1 : 0;
}

function tell({ door, holes, notes, requests }: Examination, proxy: ProxyName, console: Console): void {
  console.out(`${requests} requests through the ingress to the ${door} door; closing lines for ${proxy}`);
  for (const note of notes) console.out(`note: ${note}`);
  const byAdvice = new Map<string, string[]>();
  for (const { kind, name, says } of holes) {
    const advice = adviceFor(kind, name, proxy);
    byAdvice.set(advice, [...(byAdvice.get(advice) ?? []), says]);
  }
  for (const [advice, sentences] of byAdvice) {
    console.out('');
    for (const says of sentences) console.out(`HOLE  ${says}`);
    console.out(`      close it ${advice}`);
  }
  console.out('');
  console.out(
    holes.length === 0
      ? 'no hole found; now remove TGEFD_DOCTOR_SECRET'
      : `${holes.length} holes, ${byAdvice.size} lines to close them; TGEFD_DOCTOR_SECRET is still set`,
  );
}

async function echo(args: readonly string[], console: Console): Promise<number> {
  const { values } = options(args, {
    port: { type: 'string', default: '9000' },
    host: { type: 'string', default: '127.0.0.1' },
  });
  if (!/^\d{1,5}$/.test(values.port)) throw new Usage('--port is a port number');
  const server = createEchoServer().listen(Number(values.port), values.host);
  await once(server, 'listening');
  console.out(`echoing on ${values.host}:${(server.address() as AddressInfo).port} until interrupted`);
  await Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')]);
  server.close();
  server.closeAllConnections();
  return 0;
}

export const doctor: Command = {
  summary:
    'examines your ingress from outside, or one token or security event: which settings fit it, and what refuses it',
  usage: `doctor ingress --url https://api.example.com [--proxy ${proxies.join('|')}] [--ca FILE] [--cert FILE --key FILE] [--connect ADDRESS] [--header NAME ...], or doctor echo [--port 9000] [--host ADDRESS] in place of the service, or doctor token --token-file FILE [--offline], or doctor event --set-file FILE`,
  async run([what, ...args], console) {
    if (what === 'ingress') return ingress(args, console);
    if (what === 'echo') return echo(args, console);
    if (what === 'token') return doctorToken(args, console);
    if (what === 'event') return doctorEvent(args, console);
    throw new Usage(
      'doctor examines an `ingress`, a `token` or an `event`, or stands in for the service as its `echo`',
    );
  },
};
