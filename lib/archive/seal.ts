import { hex, sha256 } from '../codec/digest.ts';
import { mapConcurrent } from '../codec/map-concurrent.ts';
import { listAll } from '../storage/store.ts';
import { type ChainParts, readLink } from './chain.ts';
import { DOCUMENT_MAXIMUM_BYTES } from './manifest.ts';
import { extentOf, sequences } from './range.ts';
import type { Seal } from './revoked-key.ts';

const READ_WIDTH = 8;

/**
 * What a signing key had signed so far, read from the archive: of every chain its last link before the chain went on under
 * another key, and its newest anchor. Takes the key's id and the time in epoch seconds. Does not check that what is there
 * is whole (`verifyArchive` does), nor, while an archive still signs with the key, what that will add.
 */
export async function sealOf(parts: ChainParts, keyId: string, atSeconds: number): Promise<Seal> {
  const { store, layout, verifier } = parts;
  const chains = new Map<string, Seal['chains'][string]>();
  for (const writer of await store.folders(layout.manifests)) {
    const extent = await extentOf(parts, writer);
    if (extent === null) continue;
    const links = mapConcurrent(sequences(extent.first, extent.last), READ_WIDTH, (sequence) =>
      readLink(parts, writer, sequence),
    );
    for await (const read of links) {
      if (read.found !== 'link') continue;
      const { manifest, fileSha256, keyId: signedBy } = read.link;
      if (signedBy === keyId) chains.set(writer, { sequence: manifest.sequence, manifest_sha256: fileSha256 });
      else if (chains.has(writer)) break;
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
  return { revoked_at: atSeconds, chains: Object.fromEntries(chains), anchor };
}
