import * as z from 'zod/mini';

const digest = z.string().check(z.regex(/^[0-9a-f]{64}$/));

/**
 * Member `revoked` of a verification key (as OpenID Federation names it): from `revoked_at` on (epoch seconds) the key is in
 * the wrong hands, and only what stands here, or before it in the same chain, is its owner's. Without the other members
 * nothing is.
 */
export const sealSchema = z.object({
  revoked_at: z.int(),
  chains: z._default(
    z.record(z.string(), z.object({ sequence: z.int().check(z.minimum(1)), manifest_sha256: digest })),
    {},
  ),
  anchor: z._default(z.nullable(z.object({ key: z.string(), sha256: digest })), null),
});

export type Seal = z.infer<typeof sealSchema>;

/** Whether a manifest by a revoked key is one that its owner signed. Of those before the last one the chain's hashes tell. */
export function sealsManifest({ chains }: Seal, writer: string, sequence: number, fileSha256: string): boolean {
  const head = Object.hasOwn(chains, writer) ? chains[writer] : undefined;
  if (head === undefined || sequence > head.sequence) return false;
  return sequence < head.sequence || fileSha256 === head.manifest_sha256;
}

/** The same for an anchor, whose keys sort by time. */
export function sealsAnchor({ anchor }: Seal, key: string, fileSha256: string): boolean {
  return anchor !== null && (key < anchor.key || (key === anchor.key && fileSha256 === anchor.sha256));
}
