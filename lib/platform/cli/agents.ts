import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import type { NodeEgress } from '../node/egress.ts';
import { identifyConnections } from '../node/tls/client-connections.ts';
import { createClientTls } from '../node/tls/client-tls.ts';

/**
 * HTTP agents for an operator's own machine. They use the client certificates and CAs of the environment, and accept
 * whatever address a name resolves to, since the machine may reach the service through a tunnel or a private network.
 */
export function operatorAgents(env: Readonly<Record<string, string | undefined>>): NodeEgress {
  const identify = identifyConnections(createClientTls(env));
  return {
    agents: (options = {}) => {
      const kept = { keepAlive: true, ...options };
      return { http: new HttpAgent(kept), https: identify(new HttpsAgent({ minVersion: 'TLSv1.2', ...kept })) };
    },
  };
}
