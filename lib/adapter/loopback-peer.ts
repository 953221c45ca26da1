/** Whether a peer is this machine: a plain connection from it tells nothing about the caller's own transport. */
export function isLoopbackPeer(address: string | null | undefined): boolean {
  return (
    typeof address === 'string' &&
    (address.startsWith('127.') || address === '::1' || address.startsWith('::ffff:127.'))
  );
}
