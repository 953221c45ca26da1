import { type ChildProcess, fork } from 'node:child_process';
import { join } from 'node:path';
import { requestRaw } from '../support/raw-http.ts';
import type { Done, Job } from './load.ts';
import { LOAD_CORE, pin, SERVER_CORE } from './pinned.ts';
import { processorMicros } from './processor-time.ts';
import type { Row } from './rows.ts';

/** A server under measurement: where it listens and whose processor time counts. */
export interface Server {
  readonly port: number;
  readonly pid: number;
  stop(): Promise<void>;
}

/** The request that carries a token to a server: everything before it and after it. */
export interface Question {
  readonly before: string;
  readonly after: string;
}

/** As nginx asks with the documented configuration. */
export const checkQuestion: Question = {
  before:
    'GET /_authorizer/check HTTP/1.1\r\nHost: api.example.test\r\nAccept: */*\r\nX-Original-Method: GET\r\n' +
    'X-Original-URI: /v1/jobs/42\r\nX-Forwarded-For: 198.51.100.7\r\nX-Forwarded-Proto: https\r\n' +
    'X-Forwarded-Host: api.example.test\r\nAuthorization: Bearer ',
  after: '\r\n\r\n',
};

const CONNECTIONS = 16;

/** The one load generator, in a process of its own. */
export interface Load {
  send(job: Omit<Job, 'connections'>): Promise<Done>;
  stop(): void;
}

export function startLoad(): Load {
  const child: ChildProcess = fork(join(import.meta.dirname, 'load.ts'));
  pin(child.pid ?? 0, LOAD_CORE);
  return {
    send: (job) =>
      new Promise((resolve, reject) => {
        child.once('message', (done: Done) => resolve(done));
        child.send({ ...job, connections: CONNECTIONS }, (error) => error && reject(error));
      }),
    stop: () => child.disconnect(),
  };
}

/** A row that asks a server one question per token; only 2xx lets a token pass. The server is kept on one core. */
export function serverRow(name: string, server: Server, question: Question, load: Load): Row {
  pin(server.pid, SERVER_CORE);
  return {
    name,
    async accepts(bad) {
      const accepted: string[] = [];
      for (const [what, token] of Object.entries(bad)) {
        const [line = '', ...fields] = `${question.before}${token}`.split('\r\n');
        const { status } = await requestRaw(server.port, line, fields);
        if (status < 400) accepted.push(what);
      }
      return accepted;
    },
    async measure(tokens) {
      const before = processorMicros(server.pid);
      const { statuses, p50Micros } = await load.send({ port: server.port, ...question, tokens });
      const micros = processorMicros(server.pid) - before;
      const passed = (statuses[200] ?? 0) + (statuses[204] ?? 0);
      if (passed !== tokens.length) throw new Error(`${name} answered ${JSON.stringify(statuses)}`);
      return { operations: tokens.length, micros, p50Micros };
    },
    stop: server.stop,
  };
}
