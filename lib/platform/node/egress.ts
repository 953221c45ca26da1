import { lookup as resolve } from 'node:dns';
import { Agent as HttpAgent } from 'node:http';
import { type AgentOptions, Agent as HttpsAgent } from 'node:https';
import { BlockList, isIPv6, type LookupFunction } from 'node:net';
import { once } from '../../codec/once.ts';
import type { AddressClass, EgressTarget } from '../../config/egress.ts';
import { EgressRefused } from '../../decision/egress-refused.ts';
import type { NoteRefusal } from '../../egress/guard.ts';

type Range = readonly [network: string, prefixLength: number];

/** Made with the first name that is resolved, for each entry is an object of Node's own. */
function rangesOf(ranges: readonly Range[]): () => BlockList {
  return once(() => listOf(ranges));
}

function listOf(ranges: readonly Range[]): BlockList {
  const list = new BlockList();
  for (const [network, prefixLength] of ranges) {
    // Not isIPv6: its expression takes a cold start longer to compile than all else here.
    if (network.includes(':')) list.addSubnet(network, prefixLength, 'ipv6');
    else {
      list.addSubnet(network, prefixLength, 'ipv4');
      list.addSubnet(`64:ff9b::${network}`, 96 + prefixLength, 'ipv6'); // The same behind NAT64 (RFC 6052).
    }
  }
  return list;
}

const loopback = rangesOf([
  ['127.0.0.0', 8],
  ['::1', 128],
]);
const privateUse = rangesOf([
  ['10.0.0.0', 8],
  ['172.16.0.0', 12],
  ['192.168.0.0', 16],
  ['100.64.0.0', 10],
  ['fc00::', 7],
]);
/** What no name may stand for: this network, link-local and with it every metadata service, the others that clouds put
 * elsewhere (Alibaba, Azure, Oracle, AWS over IPv6), benchmarks, multicast, reserved, and old ways to write IPv4 inside IPv6. */
const neverAllowed = rangesOf([
  ['0.0.0.0', 8],
  ['169.254.0.0', 16],
  ['100.100.100.200', 32],
  ['168.63.129.16', 32],
  ['192.0.0.0', 24],
  ['198.18.0.0', 15],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
  ['::', 128],
  ['::', 96],
  ['fe80::', 10],
  ['fec0::', 10],
  ['ff00::', 8],
  ['fd00:ec2::254', 128],
  ['2002::', 16],
  ['2001::', 32],
]);

/** Why an address is none that a name of this class may have, or null. */
export function addressRefusal(address: string, allowed: AddressClass): string | null {
  const family = isIPv6(address) ? 'ipv6' : 'ipv4';
  if (allowed === 'as_written') return null;
  if (loopback().check(address, family)) return allowed === 'loopback' ? null : 'resolves to a loopback address';
  if (allowed === 'loopback') return 'resolves to an address that is not loopback';
  if (neverAllowed().check(address, family)) return 'resolves to a link-local, metadata or reserved address';
  if (privateUse().check(address, family) && allowed !== 'private') return 'resolves to a private address';
  return null;
}

export interface NodeEgress {
  /** Agents whose every connection goes to a named place only, at an address that its name may have. */
  agents(options?: AgentOptions): { readonly http: HttpAgent; readonly https: HttpsAgent };
}

type Resolve = (
  hostname: string,
  options: { readonly all: true; readonly family: number; readonly hints: number },
  callback: (error: NodeJS.ErrnoException | null, addresses: { address: string; family: number }[]) => void,
) => void;

/**
 * Egress where connections are made: below `fetch`, so that it holds for every client on this process's agents (Redis, the
 * upstream, the S3 SDK). Host and port must be those of a target. What a name resolves to is judged in the same look-up that
 * the connection uses, so no second answer can slip in; one bad address among several refuses the name.
 * `identify` says as whom connections over TLS are made.
 */
export function createNodeEgress(
  targets: readonly EgressTarget[],
  note: NoteRefusal,
  {
    resolver = resolve as unknown as Resolve,
    identify = (agent) => agent,
  }: { readonly resolver?: Resolve; readonly identify?: (agent: HttpsAgent) => HttpsAgent } = {},
): NodeEgress {
  const places = new Set(targets.map(({ name, port }) => `${name} ${port}`));
  const classes = new Map<string, AddressClass>(targets.map(({ name, addresses }) => [name, addresses]));
  const refused = (host: string, why: string) => {
    const refusal = new EgressRefused(host, why);
    note(refusal);
    return refusal;
  };

  const lookup: LookupFunction = (hostname, options, callback) => {
    const wanted = { all: true, family: Number(options.family) || 0, hints: options.hints ?? 0 } as const;
    resolver(hostname, wanted, (error, addresses) => {
      const [first] = addresses ?? [];
      if (error || first === undefined) return callback(error ?? new Error('no address'), '', 0);
      for (const { address } of addresses) {
        const why = addressRefusal(address, classes.get(hostname) ?? 'public');
        if (why !== null) return callback(refused(hostname, why), '', 0);
      }
      return options.all ? callback(null, addresses) : callback(null, first.address, first.family);
    });
  };

  const guard = <A extends HttpAgent>(agent: A): A => {
    const connect = agent.createConnection.bind(agent);
    agent.createConnection = (options, callback) => {
      const name = String(options.host ?? '').replace(/^\[|\]$/g, '');
      if (places.has(`${name} ${options.port}`)) {
        const socket = connect(options, callback);
        // Bytes that are no TLS behind a whole answer are an error of a socket that nobody listens to any more.
        socket?.on('error', () => {});
        return socket;
      }
      callback?.(refused(`${name}:${options.port}`, 'not in the configuration'), undefined as never);
      return undefined;
    };
    return agent;
  };

  return {
    agents: (options = {}) => {
      const kept = { keepAlive: true, scheduling: 'lifo' as const, lookup, ...options };
      const https = identify(new HttpsAgent({ minVersion: 'TLSv1.2', ...kept }));
      return { http: guard(new HttpAgent(kept)), https: guard(https) };
    },
  };
}
