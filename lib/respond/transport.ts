type Fields = readonly (readonly [string, string])[];

/** One year, of this host alone: what stands on other hosts of the domain is not ours to say (RFC 6797 §6.1.2). */
const STRICT_TRANSPORT: Fields = [['strict-transport-security', 'max-age=31536000']];
const NOTHING: Fields = [];

/**
 * Gives the fields that keep a browser on TLS, for our own answers to a caller whose connection was TLS, as far as a believed
 * hop tells; none over plain HTTP (RFC 6797 §7.2) and none in development, where the host is one that others share.
 */
export function createTransportFields(production: boolean) {
  return (secure: boolean | null): Fields => (production && secure === true ? STRICT_TRANSPORT : NOTHING);
}
