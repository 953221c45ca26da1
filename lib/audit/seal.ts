import { type ChainParts, readLink } from './chain.ts';
import { hex, sha256 } from './encoding.ts';
import { DOCUMENT_MAXIMUM_BYTES } from './manifest.ts';
import { extentOf } from './range.ts';
import type { Seal } from './revoked-key.ts';
import { listAll } from './store.ts';

/**
 * What a signing key had signed so far, read from the archive: of every chain its last link before the chain went on under
 * another key, and its newest anchor. Takes the key's id and the time in epoch seconds. Does not check that what is there
 * is whole (`verifyArchive` does), nor, while an archive still signs with the key, what that will add.
 */
export async function sealOf(parts: ChainParts, keyId: string, atSeconds: number): Promise<Seal> {
  const { store, layout, verifier } = parts;
  const chains: Record<string, Seal['chains'][string]> = {};
  for (const writer of await store.folders(layout.manifests)) {
    const extent = await extentOf(parts, writer);
    let left = false;
    for (let sequence = extent?.first ?? 1; !left && sequence <= (extent?.last ?? 0); sequence++) {
      const read = await readLink(parts, writer, sequence);
      if (read.found !== 'link') continue;
      if (read.link.keyId === keyId) chains[writer] = { sequence, manifest_sha256: read.link.fileSha256 };
      else left = writer in chains;
    }
  }
  let anchor: Seal['anchor'] = null;
  for await (const { key } of listAll(store, layout.anchors)) {
    const file = await store.read(key, DOCUMENT_MAXIMUM_BYTES);
    const verified = file && (await verifier.verify('anchor', file));
    if (file === null || verified?.outcome !== 'genuine') continue;
    if (verified.keyId === keyId) anchor = { key, sha256: hex(await sha256(file)) };
    else if (anchor !== null) break;
  }
  return { revoked_at: atSeconds, chains, anchor };
}
