import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Composed } from '../../../compose/authorizer.ts';
import type { RequestContext } from '../../../decision/ports.ts';
import { checkPath } from '../../../http/forward-auth.ts';
import { rawFields } from '../../../request/raw-fields.ts';
import type { Answer } from '../../../respond/denial.ts';

const QUESTION = `GET ${checkPath}`;
/** What nginx would have said of its request; what it did say cannot be read. */
const fields = rawFields(['host', 'unreadable.invalid', 'x-original-method', 'GET', 'x-original-uri', '/']);

/** Answers a question of nginx that the parser refused, or null where it is none. */
export type AnswerUnreadable = (socket: Duplex, packet: Buffer) => Promise<Answer> | null;

/**
 * nginx hands on a credential with a control character, which Node's parser refuses. nginx turns every answer but 401 and
 * 403 into an error of its own, so the refusal takes the way of every denial: decided, recorded, and told in nginx's form.
 */
export function createUnreadableCheck(composed: () => Composed | null, context: RequestContext): AnswerUnreadable {
  return (socket, packet) => {
    const forwardAuth = composed()?.forwardAuth ?? null;
    if (forwardAuth?.proxy !== 'nginx') return null;
    const head = packet.subarray(0, QUESTION.length + 1).toString('latin1');
    if (!head.startsWith(QUESTION) || !/[ ?]$/.test(head)) return null;
    const access = {
      door: 'nginx',
      method: 'GET',
      target: checkPath,
      headers: fields,
      hop: { peerAddress: (socket as Socket).remoteAddress ?? null, secure: null, certificate: null },
      refused: { reason: 'host_invalid' },
    } as const;
    return Promise.resolve(forwardAuth.check(access, context));
  };
}
