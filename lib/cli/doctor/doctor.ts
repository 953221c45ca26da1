import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { command, Failure, type Group, type Output, Usage } from '../command.ts';
import { counted } from '../line/text.ts';
import { adviceFor, type ProxyName } from './advice.ts';
import { createDoctorClient } from './client.ts';
import { createEchoServer } from './echo.ts';
import { event } from './event.ts';
import { type Examination, examineIngress } from './ingress.ts';
import { token } from './token.ts';

const proxies = ['nginx', 'caddy', 'traefik', 'envoy'] as const satisfies readonly ProxyName[];

/** Headers that the configuration of this environment believes, should the doctor run beside it. */
function believedNames(env: Output['env']): string[] {
  return [
    'TGEFD_IDENTITY_HEADER',
    'TGEFD_MTLS_IDENTITY_HEADER',
    'TGEFD_MTLS_SCOPES_HEADER',
    'TGEFD_MTLS_ROLE_HEADER',
  ].flatMap((name) => env[name] ?? []);
}

const ingress = command({
  summary: 'Examines your ingress from outside: finds what strangers can forge, and prints the line that stops it.',
  options: {
    url: {
      type: 'string',
      value: 'URL',
      required: true,
      means: 'Where strangers reach the ingress, such as https://api.example.com.',
    },
    proxy: {
      type: 'string',
      choices: proxies,
      means: 'Proxy for which the lines are printed. Default: the proxy that the authorizer expects.',
    },
    ca: { type: 'string', value: 'FILE', means: 'CA certificates of the ingress, PEM.' },
    cert: { type: 'string', value: 'FILE', means: 'A client certificate for the ingress, PEM.' },
    key: { type: 'string', value: 'FILE', means: 'Private key of the client certificate, PEM.' },
    connect: { type: 'string', value: 'ADDRESS', means: 'Address to connect to in place of the host of the URL.' },
    header: { type: 'string', multiple: true, value: 'NAME', means: 'A further header that the service trusts.' },
  },
  examples: [
    {
      line: 'doctor ingress --url https://api.example.com --proxy nginx',
      does: 'Examines an nginx and prints the lines for it.',
    },
  ],
  json: 'An object: `door`, `proxy`, `requests`, `notes` and `holes`, each with `kind`, `name`, `says` and `close`.',
  exits: { yes: 'No hole was found.', no: 'There is a hole.' },
  notes: ['TGEFD_DOCTOR_SECRET must hold the secret that the authorizer was started with.'],
  async run(values, console) {
    if (!/^https?:$/.test(URL.canParse(values.url) ? new URL(values.url).protocol : ''))
      throw new Usage('--url is where strangers reach the ingress, such as https://api.example.com');
    const secret = console.env.TGEFD_DOCTOR_SECRET;
    if (!secret)
      throw new Failure(
        'not_configured',
        'TGEFD_DOCTOR_SECRET must hold the secret that the authorizer was started with',
      );
    const found = await examine(values, secret, console);
    if (found.failed !== null) throw new Failure('unavailable', `not examined: ${found.failed}`);
    tell(found, values.proxy ?? proxies.find((each) => each === found.door) ?? 'nginx', console);
    return found.holes.length > 0 ? 1 : 0;
  },
});

interface Place {
  readonly url: string;
  readonly ca: string | undefined;
  readonly cert: string | undefined;
  readonly key: string | undefined;
  readonly connect: string | undefined;
  readonly header: readonly string[];
}

async function examine(values: Place, secret: string, console: Output): Promise<Examination> {
  const text = async (path: string | undefined) => (path === undefined ? null : readFile(path, 'utf8'));
  const [ca, cert, key] = await Promise.all([text(values.ca), text(values.cert), text(values.key)]);
  const letters = crypto.getRandomValues(new Uint8Array(12));
  const mark = `forged${Array.from(letters, (octet) => String.fromCharCode(97 + (octet % 26))).join('')}`;
  const send = createDoctorClient(new URL(values.url), { secret, ca, cert, key, connect: values.connect ?? null });
  let requests = 0;
  const counting: typeof send = (request) => {
    requests += 1;
    console.progress(`${counted(requests, 'request')} through the ingress`);
    return send(request);
  };
  return examineIngress(counting, { mark, configured: [...believedNames(console.env), ...values.header] });
}

function tell({ door, holes, notes, requests }: Examination, proxy: ProxyName, console: Output): void {
  const { out, style } = console;
  const closing = holes.map((hole) => ({ ...hole, close: adviceFor(hole.kind, hole.name, proxy) }));
  console.answer({ door, proxy, requests, notes, holes: closing });
  out(`${counted(requests, 'request')} through the ingress to the ${door} door; closing lines for ${proxy}`);
  for (const note of notes) out(`note: ${note}`);
  const byAdvice = Map.groupBy(closing, ({ close }) => close);
  for (const [advice, same] of byAdvice) {
    out('');
    for (const { says } of same) out(`${style('bad', 'HOLE')}  ${says}`);
    out(`      close it ${advice}`);
  }
  out('');
  if (holes.length === 0) out(style('good', 'no hole found; now remove TGEFD_DOCTOR_SECRET'));
  else
    out(
      `${counted(holes.length, 'hole')}, ${counted(byAdvice.size, 'line')} to close them; TGEFD_DOCTOR_SECRET is still set`,
    );
}

const echo = command({
  summary: 'Stands in for the service while you examine its ingress: it answers with the request that it received.',
  options: {
    port: { type: 'string', value: 'PORT', default: '9000', means: 'Port to listen on; 0 takes a free one.' },
    host: { type: 'string', value: 'ADDRESS', default: '127.0.0.1', means: 'Address to listen on.' },
  },
  examples: [{ line: 'doctor echo --port 9000', does: 'Listens until it is interrupted.' }],
  json: 'An object once it listens: `host`, `port`.',
  async run({ port, host }, console) {
    if (!/^\d{1,5}$/.test(port) || Number(port) > 65_535) throw new Usage('--port is a port number');
    const server = createEchoServer().listen(Number(port), host);
    await once(server, 'listening');
    const { port: listening } = server.address() as AddressInfo;
    console.progress('');
    console.answer({ host, port: listening });
    console.out(`echoing on ${host}:${listening} until interrupted`);
    await Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')]);
    server.close();
    server.closeAllConnections();
    return 0;
  },
});

export const doctor: Group = {
  summary: 'Examines your ingress from outside, one token, or one security event.',
  commands: { ingress, token, event, echo },
};
