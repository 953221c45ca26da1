import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { isIP } from 'node:net';
import { DOCTOR_SCHEME, type ProbeReport } from '../../http/probe.ts';

export interface Sent {
  readonly method?: string;
  /** Request target as it shall stand on the request line. */
  readonly target: string;
  /** Further fields, names and values in turn, as they shall stand. */
  readonly fields?: readonly string[];
  /** Bytes of a body of zeros. */
  readonly bodyBytes?: number;
}

export interface Got {
  /** 0 where the connection ended without an answer. */
  readonly status: number;
  readonly report: ProbeReport | null;
  readonly echo: Echo | null;
}

/** What the echo service got. */
export interface Echo {
  readonly echo: 1;
  readonly method: string;
  readonly target: string;
  readonly fields: readonly (readonly [string, string])[];
  readonly bodyBytes: number;
}

export type Send = (request: Sent) => Promise<Got>;

const DEADLINE_MS = 15_000;
const MAXIMUM_ANSWER = 256 * 1024;

/** Sends requests with exactly these fields to one ingress, each on a connection of its own. Never rejects. */
export function createDoctorClient(
  ingress: URL,
  options: {
    readonly secret: string;
    /** PEM: authorities of the ingress, and a certificate of our own with its key. */
    readonly ca: string | null;
    readonly cert: string | null;
    readonly key: string | null;
    /** Where to connect in place of the URL's host, before its name leads there. */
    readonly connect: string | null;
  },
): Send {
  const secure = ingress.protocol === 'https:';
  const name = ingress.hostname.replace(/^\[|\]$/g, '');
  const send = secure ? httpsRequest : httpRequest;
  return ({ method = 'GET', target, fields = [], bodyBytes = 0 }) =>
    new Promise((resolve) => {
      const nothing: Got = { status: 0, report: null, echo: null };
      const headers = ['Host', ingress.host, 'Authorization', `${DOCTOR_SCHEME} ${options.secret}`, ...fields];
      if (bodyBytes > 0) headers.push('Content-Length', String(bodyBytes));
      const outgoing = send({
        host: options.connect ?? name,
        ...(secure && !isIP(name) ? { servername: name } : {}),
        port: ingress.port === '' ? (secure ? 443 : 80) : Number(ingress.port),
        method,
        path: target,
        headers,
        agent: false,
        signal: AbortSignal.timeout(DEADLINE_MS),
        ...given({ ca: options.ca, cert: options.cert, key: options.key }),
      });
      outgoing.once('error', () => resolve(nothing));
      outgoing.once('response', (incoming) => {
        const chunks: Buffer[] = [];
        let size = 0;
        incoming.on('data', (chunk: Buffer) => {
          size += chunk.length;
          if (size <= MAXIMUM_ANSWER) chunks.push(chunk);
        });
        incoming.once('error', () => resolve(nothing));
        incoming.once('end', () => {
          const answer = parsed(Buffer.concat(chunks).toString());
          resolve({
            status: incoming.statusCode ?? 0,
            report: answer?.probe === 1 ? (answer as unknown as ProbeReport) : null,
            echo: answer?.echo === 1 ? (answer as unknown as Echo) : null,
          });
        });
      });
      outgoing.end(bodyBytes > 0 ? Buffer.alloc(bodyBytes) : undefined);
    });
}

function given(files: Readonly<Record<string, string | null>>): Record<string, string> {
  return Object.fromEntries(Object.entries(files).flatMap(([name, text]) => (text === null ? [] : [[name, text]])));
}

function parsed(text: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}
