import { type EgressTarget, egressTargets } from '../config/egress.ts';
import { command, type Group, Usage } from './command.ts';
import { configOf, placeOf, placeOptions } from './config.ts';

type Render = (targets: readonly EgressTarget[]) => readonly string[];

function merged(targets: readonly EgressTarget[]): readonly EgressTarget[] {
  return [...new Map(targets.map((target) => [target.host, target])).values()];
}

/** A NetworkPolicy knows no names: what it can hold is ports, addresses as written, and public against private. */
const kubernetes: Render = (targets) => {
  const rule = (blocks: readonly string[], ports: readonly number[]) => [
    '    - to:',
    ...blocks,
    '      ports:',
    ...[...new Set(ports)].map((port) => `        - { protocol: TCP, port: ${port} }`),
  ];
  const cidr = (block: string) => `        - ipBlock: { cidr: ${block} }`;
  const ports = (addresses: EgressTarget['addresses']) =>
    targets.filter((target) => target.addresses === addresses).map(({ port }) => port);
  const outside = [
    '        - ipBlock:',
    '            cidr: 0.0.0.0/0',
    '            except: [10.0.0.0/8, 100.64.0.0/10, 127.0.0.0/8, 169.254.0.0/16, 172.16.0.0/12, 192.168.0.0/16]',
    '        - ipBlock:',
    "            cidr: '::/0'",
    "            except: ['fc00::/7', 'fe80::/10']",
  ];
  const inside = [...['10.0.0.0/8', '100.64.0.0/10', '172.16.0.0/12', '192.168.0.0/16'].map(cidr), cidr("'fc00::/7'")];
  const [publicPorts, privatePorts] = [ports('public'), ports('private')];
  return [
    'apiVersion: networking.k8s.io/v1',
    'kind: NetworkPolicy',
    'metadata: { name: tgefd-authorizer-egress }',
    'spec:',
    '  podSelector: { matchLabels: { app.kubernetes.io/name: tgefd-authorizer } }',
    '  policyTypes: [Egress]',
    '  egress:',
    '    - to:',
    '        - namespaceSelector: { matchLabels: { kubernetes.io/metadata.name: kube-system } }',
    '      ports: [{ protocol: UDP, port: 53 }, { protocol: TCP, port: 53 }]',
    ...(publicPorts.length > 0 ? rule(outside, publicPorts) : []),
    ...(privatePorts.length > 0 ? rule(inside, privatePorts) : []),
    ...targets
      .filter(({ addresses }) => addresses === 'as_written')
      .flatMap(({ name, port }) => rule([cidr(name.includes(':') ? `'${name}/128'` : `${name}/32`)], [port])),
  ];
};

const cilium: Render = (targets) => [
  'apiVersion: cilium.io/v2',
  'kind: CiliumNetworkPolicy',
  'metadata: { name: tgefd-authorizer-egress }',
  'spec:',
  '  endpointSelector: { matchLabels: { app.kubernetes.io/name: tgefd-authorizer } }',
  '  egress:',
  '    - toEndpoints: [{ matchLabels: { k8s:io.kubernetes.pod.namespace: kube-system, k8s-app: kube-dns } }]',
  '      toPorts: [{ ports: [{ port: "53", protocol: ANY }], rules: { dns: [{ matchPattern: "*" }] } }]',
  ...targets.flatMap(({ name, port, addresses }) => [
    addresses === 'as_written'
      ? `    - toCIDR: ["${name}/${name.includes(':') ? 128 : 32}"]`
      : `    - toFQDNs: [{ matchName: "${name}" }]`,
    `      toPorts: [{ ports: [{ port: "${port}", protocol: TCP }] }]`,
  ]),
];

/** A security group knows no names either: DNS Firewall holds the names, the group the ports (infra/aws/network.ts). */
const vpc: Render = (targets) => [
  JSON.stringify(
    {
      dnsFirewallDomains: [
        ...new Set(targets.filter(({ addresses }) => addresses !== 'as_written').map(({ name }) => name)),
      ],
      securityGroupEgress: [
        ...targets
          .filter(({ addresses }) => addresses === 'as_written')
          .map(({ name, port }) =>
            name.includes(':')
              ? { CidrIpv6: `${name}/128`, IpProtocol: 'tcp', FromPort: port, ToPort: port }
              : { CidrIp: `${name}/32`, IpProtocol: 'tcp', FromPort: port, ToPort: port },
          ),
        ...[...new Set(targets.filter(({ addresses }) => addresses !== 'as_written').map(({ port }) => port))].map(
          (port) => ({ CidrIp: '0.0.0.0/0', IpProtocol: 'tcp', FromPort: port, ToPort: port }),
        ),
      ],
    },
    null,
    2,
  ),
];

const worker: Render = (targets) => [
  '# A Worker has no egress policy of its own: the list below is kept by lib/egress/guard.ts in the Worker itself. Cloudflare',
  '# reaches no private address from a Worker unless a VPC or tunnel binding gives it one: bind none but UPSTREAM.',
  '# With Workers for Platforms or an outbound Worker, allow exactly these:',
  ...targets.map(({ host }) => host),
];

const renders = { kubernetes, cilium, vpc, worker } as const;

const print = command({
  summary: 'Prints the hosts that the process may call, as a table or as a network policy.',
  options: {
    ...placeOptions,
    for: {
      type: 'string',
      choices: ['text', 'kubernetes', 'cilium', 'vpc', 'worker'],
      default: 'text',
      means: 'The form: a table, or the policy of a platform.',
    },
  },
  examples: [
    { line: 'egress print', does: 'Lists every host, with the variable that names it.' },
    { line: 'egress print --for kubernetes', does: 'Prints a NetworkPolicy.' },
  ],
  json: 'An object: `targets`, each with `name`, `port`, `addresses` and `variable`. Not together with `--for`.',
  async run({ platform, role, for: form, json }, console) {
    if (json && form !== 'text') throw new Usage('--json and --for are two forms: give one of them');
    const loaded = await configOf(console, placeOf({ platform, role }));
    const region = console.env.AWS_REGION ?? console.env.AWS_DEFAULT_REGION ?? null;
    const targets = merged(egressTargets(loaded.config.settings, region));
    console.answer({
      targets: targets.map(({ name, port, addresses, variable }) => ({ name, port, addresses, variable })),
    });
    if (form !== 'text') for (const line of renders[form](targets)) console.out(line);
    else {
      const rows = targets.map(({ name, port, addresses, variable }) => [`${name}:${port}`, addresses, variable]);
      console.table(['HOST', 'ADDRESSES', 'VARIABLE'], rows);
    }
    return 0;
  },
});

export const egress: Group = {
  summary: 'Prints the hosts that the process may call, for network policies.',
  commands: { print },
};
