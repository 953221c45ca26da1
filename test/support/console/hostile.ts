import { sendRaw } from '../raw-http.ts';
import type { ConsoleRig } from './rig.ts';

/** What every text tries to load, and the name of what it sets when it runs. */
export const ELSEWHERE = 'https://elsewhere.example';
export const MARK = 'hostileTextRan';

const RUN = `window.${MARK}=1;alert(1)`;
const IMAGE = `<img src=${ELSEWHERE}/x onerror="${RUN}">`;

/** Texts that mean something to a browser, a terminal or a reader, and must mean nothing here. */
export const HOSTILE: readonly (readonly [name: string, text: string])[] = [
  ['markup', `"'>${IMAGE}<script>${RUN}</script><svg onload="${RUN}">`],
  [
    'the end of every element',
    `</title></textarea></template></script></style></svg>--><base href="${ELSEWHERE}/">${IMAGE}`,
  ],
  ['an address that runs', `javascript:${RUN}//`],
  ['a redirection', `<meta http-equiv=refresh content="0;url=${ELSEWHERE}"><iframe src=${ELSEWHERE}></iframe>`],
  ['a template', `{{constructor.constructor('${RUN}')()}}\${${RUN}}`],
  ['marks of direction', '\u202e\u2066gnp.exe\u2069\u200f\u061c שלום مرحبا \u202dabc\u200b\ufeff'],
  ['control bytes', '\u0001\u0007\u001b[31mred\u001b]0;title\u0007\u007f\u0085\u009b1m\u2028\u2029'],
  ['10 KB in one word', 'W'.repeat(10_240)],
  ['10 KB of markup', IMAGE.repeat(Math.ceil(10_240 / IMAGE.length))],
  ['marks above marks', `Z${'\u0300\u0301\u0302'.repeat(400)}`],
];

/** The same in few rounds: all short ones in one text, and the long ones by themselves. */
export const ROUNDS: readonly (readonly [name: string, text: string])[] = [
  ['everything short', HOSTILE.flatMap(([, text]) => (text.length < 2_000 ? [text] : [])).join(' ')],
  ...HOSTILE.filter(([, text]) => text.length > 10_000),
];

/** Sends each text to the gateway wherever a caller can put one, and into the store, as if it had been broken into. */
export async function sendHostile(rig: ConsoleRig): Promise<void> {
  await rig.ask('/v1/jobs/1', await rig.token({ subject: 'alice', scope: 'jobs' }));
  for (const [, text] of HOSTILE) await Promise.all([sendRequests(rig, text), revokeBy(rig, text)]);
  for (const [place, [, text]] of HOSTILE.entries()) await plantRecord(rig, text, place);
}

async function sendRequests(rig: ConsoleRig, text: string): Promise<void> {
  const line = [...text].filter((character) => !/[\r\n\0 ]/.test(character)).join('');
  const onWire = Buffer.from(line, 'utf8').toString('latin1');
  const path = encodeURIComponent(line).slice(0, 6_000);
  const unsigned = ['alg', 'kid', 'iss', 'sub', 'aud', 'scope'].map((claim) => tokenWith(claim, text.slice(0, 4_000)));
  const raw = [
    `GET /v1/${path} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n`,
    `GET /v1/jobs/${onWire.slice(0, 6_000)} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n`,
    `GET /v1/metrics?q=${path} HTTP/1.1\r\nhost: a\r\nuser-agent: ${onWire}\r\nreferer: ${onWire.slice(0, 2_000)}\r\nconnection: close\r\n\r\n`,
    `GET /v1/metrics HTTP/1.1\r\nhost: a\r\nx-request-id: ${onWire}\r\nconnection: close\r\n\r\n`,
    `GET /v1/metrics HTTP/1.1\r\nhost: ${onWire.slice(0, 200)}\r\nconnection: close\r\n\r\n`,
    `GET /v1/metrics HTTP/1.1\r\nhost: a\r\nauthorization: Bearer ${onWire}\r\nconnection: close\r\n\r\n`,
    ...unsigned.map(
      (token) => `GET /v1/metrics HTTP/1.1\r\nhost: a\r\nauthorization: Bearer ${token}\r\nconnection: close\r\n\r\n`,
    ),
  ];
  const port = Number(new URL(rig.gateway).port);
  await Promise.all(raw.map((message) => sendRaw(port, message, 3_000)));
  const subject = text.slice(0, 2_000);
  await rig.ask('/v1/metrics', await rig.token({ subject, scope: 'jobs' }));
  await rig.ask('/v1/metrics', await rig.token({ subject: 'alice', claims: { scope: text.slice(0, 2_000) } }));
}

/** A token that nobody signed, with the text as one member of its header or payload. */
export function tokenWith(claim: string, text: string): string {
  const part = (members: object) => Buffer.from(JSON.stringify(members)).toString('base64url');
  const inHeader = claim === 'alg' || claim === 'kid';
  const nowSeconds = Math.floor(Date.now() / 1000);
  const header = { typ: 'at+jwt', alg: 'ES256', kid: 'es256-1', ...(inHeader ? { [claim]: text } : {}) };
  const payload = { sub: 'a', iat: nowSeconds, exp: nowSeconds + 300, ...(inHeader ? {} : { [claim]: text }) };
  return `${part(header)}.${part(payload)}.AAAA`;
}

/** Revocations hold text that whoever may revoke has written. */
async function revokeBy(rig: ConsoleRig, text: string): Promise<void> {
  const headers = {
    authorization: `Bearer ${await rig.token({ subject: 'root', scope: 'revoke' })}`,
    'content-type': 'application/json',
  };
  const body = JSON.stringify({
    kind: 'jti',
    id: text.slice(0, 256),
    reason: text.slice(0, 256).replace(/\p{Cc}/gu, ''),
  });
  await fetch(`${rig.gateway}/_authorizer/revocations`, { method: 'POST', body, headers });
}

/** A denial with the text in every member that the schema leaves free. */
export async function plantRecord({ redis }: ConsoleRig, text: string, place: number): Promise<void> {
  const [key = ''] = await redis.client.keys('*audit');
  const [latest] = await redis.client.xrevrange(key, '+', '-', 'COUNT', 1);
  const [name = '', record = '{}'] = latest?.[1] ?? [];
  const printable = text.replaceAll(/[^\x20-\x7e]/g, '?').slice(0, 256);
  const id = `hostile-${place}`;
  const planted = {
    ...JSON.parse(record),
    id,
    request_id: id,
    ts: new Date().toISOString(),
    identity: null,
    action: printable,
    method: printable,
    pattern: printable,
    outcome: 'denied',
    status: 403,
    code: 'insufficient_scope',
    reason: 'scope_missing',
    reason_detail: printable,
    key_id: printable,
    build: printable,
  };
  await redis.client.xadd(key, '*', name, JSON.stringify(planted));
}
