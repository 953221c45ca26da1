import type { Agent } from 'node:https';
import type { Duplex } from 'node:stream';
import type { SecureContext } from 'node:tls';
import type { ClientTls } from './client-tls.ts';

/**
 * Makes agents connect to each host by its context of the moment, where it has one: with a handshake of its own, for a
 * session of before would be resumed as whom it was begun. Once the context is another, connections that rest are ended,
 * busy ones after their answer.
 */
export function identifyConnections(tls: Pick<ClientTls, 'contextOf' | 'onChange'>) {
  const made = new WeakMap<object, { readonly host: string; readonly context: SecureContext }>();
  const resting = new Set<Duplex>();
  const isCurrent = (socket: object) => {
    const by = made.get(socket);
    return by === undefined || by.context === tls.contextOf(by.host);
  };
  tls.onChange(() => {
    for (const socket of resting) if (!isCurrent(socket)) socket.destroy();
  });

  return (agent: Agent): Agent => {
    const connect = agent.createConnection.bind(agent);
    const reuse = agent.reuseSocket.bind(agent);
    const keep = agent.keepSocketAlive.bind(agent) as (socket: Duplex) => boolean;

    agent.createConnection = (options, callback) => {
      const host = new URL(`https://${bracketed(String(options.host))}:${options.port}`).host;
      const context = tls.contextOf(host);
      if (context === null) return connect(options, callback);
      const socket = connect({ ...options, session: undefined, secureContext: context } as typeof options, callback);
      if (!socket) return socket;
      made.set(socket, { host, context });
      socket.once('close', () => resting.delete(socket));
      return socket;
    };
    // Ahead of the agent's own listener, which hands the connection to whatever request waits for one.
    agent.prependListener('free', (socket: Duplex) => {
      if (!isCurrent(socket)) socket.destroy();
    });
    agent.keepSocketAlive = (socket: Duplex): boolean => {
      if (made.has(socket)) resting.add(socket);
      return keep(socket);
    };
    agent.reuseSocket = (socket, request) => {
      resting.delete(socket);
      reuse(socket, request);
    };
    return agent;
  };
}

function bracketed(host: string): string {
  return host.includes(':') && !host.startsWith('[') ? `[${host}]` : host;
}
