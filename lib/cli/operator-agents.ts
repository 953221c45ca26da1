import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { identifyConnections } from '../platform/node/client-connections.ts';
import { createClientTls } from '../platform/node/client-tls.ts';
import type { NodeEgress } from '../platform/node/egress.ts';
import type { Console } from './command.ts';

/**
 * Agents of an operator's own machine: as whom a door would call, with its certificates and authorities, but names may resolve
 * to whatever they do there, through a tunnel or a private network.
 */
export function operatorAgents(env: Console['env']): NodeEgress {
  const identify = identifyConnections(createClientTls(env));
  return {
    agents: (options = {}) => {
      const kept = { keepAlive: true, ...options };
      return { http: new HttpAgent(kept), https: identify(new HttpsAgent({ minVersion: 'TLSv1.2', ...kept })) };
    },
  };
}
