import { awsPartition, awsS3Host, awsStsHost } from '../codec/aws-partition.ts';
import { bucketUrl } from '../storage/s3/s3-address.ts';
import { eventKeyPlaces } from './events/read.ts';
import { keyPlaces } from './issuers/places.ts';
import type { Settings } from './variables.ts';

/** What kind of address a name may resolve to: an address written as such is taken as written. */
export type AddressClass = 'as_written' | 'loopback' | 'private' | 'public';

/** One place that the process may call. */
export interface EgressTarget {
  /** As `URL.host` writes it: the default port of its scheme left out. */
  readonly host: string;
  /** Name or address alone; IPv6 without brackets. */
  readonly name: string;
  readonly port: number;
  /** The variable that names it. */
  readonly variable: string;
  readonly addresses: AddressClass;
}

/** Ports of schemes for which `URL` knows none. */
const portOf: Readonly<Record<string, number | undefined>> = { 'redis:': 6379, 'rediss:': 6379 };

/** One place by its URL; `listed` are the hosts of `TGEFD_EGRESS_ALLOW`. */
export function egressTarget(url: URL, variable: string, listed: ReadonlySet<string>): EgressTarget {
  return {
    host: portOf[url.protocol] === undefined || url.port !== '' ? url.host : `${url.host}:${portOf[url.protocol]}`,
    name: url.hostname.replace(/^\[|\]$/g, ''),
    port: url.port === '' ? (portOf[url.protocol] ?? (url.protocol === 'http:' ? 80 : 443)) : Number(url.port),
    variable,
    addresses: addressesOf(url.hostname, listed.has(url.host)),
  };
}

/** Names that can only be inside: one label, in-cluster names, and those reserved for private use (RFC 6762, ICANN). */
const internalName = /^[^.]+$|\.svc(\.[^.]+)*$|\.(internal|local|home\.arpa)$/;

/** Whether a host can only be inside, or is an address for private use. */
export function isInternalHost(name: string): boolean {
  return internalName.test(name) || privateAddress.test(name);
}
const privateAddress = /^(10\.|192\.168\.|172\.(1[6-9]|2\d|3[01])\.|100\.(6[4-9]|[7-9]\d|1[01]\d|12[0-7])\.|\[f[cd])/;

function addressesOf(name: string, listed: boolean): AddressClass {
  if (name.startsWith('[') || /^\d{1,3}(\.\d{1,3}){3}$/.test(name)) return 'as_written';
  if (name === 'localhost' || name.endsWith('.localhost')) return 'loopback';
  return listed || internalName.test(name) ? 'private' : 'public';
}

/**
 * Everything that the process may call, one row for each place and variable: the hosts that the configuration names, and
 * `TGEFD_EGRESS_ALLOW`. A host in that list may have private addresses; so may a name that can only be inside. Pure: resolves
 * nothing. `awsRegion` is the platform's own, for buckets whose region is `auto`.
 */
export function egressTargets(settings: Settings, awsRegion: string | null): readonly EgressTarget[] {
  const listed = new Set(settings.egressAllow);
  const named: readonly (readonly [URL | null, string])[] = [
    ...keyPlaces(settings),
    ...eventKeyPlaces(settings),
    [settings.redisUrl, 'TGEFD_REDIS_URL'],
    ...redisPlaces(settings),
    [settings.upstreamUrl, 'TGEFD_UPSTREAM_URL'],
    [settings.vaultUrl, 'TGEFD_VAULT_URL'],
    [settings.otelEnabled ? settings.otelEndpoint : null, 'TGEFD_OTEL_ENDPOINT'],
    ...googleUrls(settings).map((url) => [url, 'TGEFD_AUDIT_GCS_PROVIDER'] as const),
    ...bucketUrls(settings, awsRegion).map((url) => [url, 'TGEFD_AUDIT_BUCKET'] as const),
  ];
  return [
    ...named.flatMap(([url, variable]) => (url ? [egressTarget(url, variable, listed)] : [])),
    ...settings.egressAllow.map((host) => egressTarget(new URL(`https://${host}`), 'TGEFD_EGRESS_ALLOW', listed)),
  ];
}

/** Further servers of Redis over TCP. */
function redisPlaces({ redisUrl, redisNodes, redisSentinels }: Settings) {
  if (redisUrl === null || !isTcp(redisUrl)) return [];
  const urlOf = (place: string) => new URL(`redis://${place}`);
  return [
    ...redisNodes.map((place) => [urlOf(place), 'TGEFD_REDIS_NODES'] as const),
    ...redisSentinels.map((place) => [urlOf(place), 'TGEFD_REDIS_SENTINELS'] as const),
  ];
}

/** Whether a URL of Redis means TCP, not REST. */
export function isTcp(url: URL): boolean {
  return url.protocol === 'rediss:' || url.protocol === 'redis:';
}

/** Where the S3 adapter goes: the endpoint, path style, or AWS with the bucket in the name; and at AWS its token service, where
 * the SDK finds credentials itself. */
function bucketUrls(settings: Settings, awsRegion: string | null): readonly URL[] {
  const { auditBucket, auditAnchorBucket, auditS3Endpoint, auditS3AccessKeyId } = settings;
  const region = settings.auditS3Region === 'auto' ? awsRegion : settings.auditS3Region;
  const buckets = [auditBucket, auditAnchorBucket].filter((bucket) => bucket !== null);
  const service = awsS3Host(region ?? '');
  const atAws =
    auditS3Endpoint === null
      ? buckets.length > 0
      : auditS3Endpoint.hostname.endsWith(`.${awsPartition(region ?? '').dnsSuffix}`);
  const hosts = auditS3Endpoint === null ? [...buckets.map((bucket) => `${bucket}.${service}`), service] : [];
  if (auditS3AccessKeyId === null) hosts.push(awsStsHost(region ?? ''));
  const named = atAws && region !== null ? hosts.map((host) => `https://${host}`) : [];
  const urls = named.filter((url) => URL.canParse(url)).map((url) => new URL(url));
  if (auditS3Endpoint === null) return urls;
  const inHost = settings.auditS3Addressing === 'virtual' ? buckets : [];
  const virtual = inHost.map((bucket) => new URL(bucketUrl(auditS3Endpoint, bucket, 'virtual')));
  return [auditS3Endpoint, ...virtual, ...urls];
}

function googleUrls({ auditGcsProvider, auditGcsServiceAccount }: Settings): readonly URL[] {
  return auditGcsProvider === null
    ? []
    : [
        new URL('https://sts.googleapis.com'),
        ...(auditGcsServiceAccount === null ? [] : [new URL('https://iamcredentials.googleapis.com')]),
      ];
}

/** The authorities of those places, for `createEgress`. */
export function egressHosts(settings: Settings): ReadonlySet<string> {
  return new Set(egressTargets(settings, null).map(({ host }) => host));
}
