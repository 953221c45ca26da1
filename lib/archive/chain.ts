import { hex, sha256 } from '../codec/digest.ts';
import { listAll, type ObjectStore } from '../storage/store.ts';
import { type Layout, sequenceInKey } from './layout.ts';
import { DOCUMENT_MAXIMUM_BYTES, type Manifest, parseManifest } from './manifest.ts';
import { sealsManifest } from './revoked-key.ts';
import type { Verifier } from './signature.ts';

/** One manifest as it lies in the bucket, its signature checked. */
export interface Link {
  readonly key: string;
  readonly manifest: Manifest;
  /** SHA-256 of the whole file, in hexadecimal: what the next link and the anchors name it by. */
  readonly fileSha256: string;
  readonly keyId: string;
}

export type LinkRead =
  | { readonly found: 'link'; readonly link: Link }
  | { readonly found: 'nothing' }
  /** It is there, but nobody known signed it as what it says. */
  | { readonly found: 'untrusted'; readonly why: 'malformed' | 'forged' | 'misplaced'; readonly fileSha256: string };

/** What reading a chain needs. */
export interface ChainParts {
  readonly store: ObjectStore;
  readonly layout: Layout;
  readonly verifier: Verifier;
}

/** Reads one manifest: checks its signature, and that it stands where it says. Does not look at its batch. */
export async function readLink(parts: ChainParts, writer: string, sequence: number): Promise<LinkRead> {
  const key = parts.layout.manifest(writer, sequence);
  const file = await parts.store.read(key, DOCUMENT_MAXIMUM_BYTES);
  if (file === null) return { found: 'nothing' };
  const fileSha256 = hex(await sha256(file));
  const verified = await parts.verifier.verify('manifest', file);
  if (verified.outcome !== 'genuine') return { found: 'untrusted', why: verified.outcome, fileSha256 };
  const manifest = parseManifest(verified.payload);
  if (manifest === null) return { found: 'untrusted', why: 'malformed', fileSha256 };
  if (manifest.writer !== writer || manifest.sequence !== sequence) {
    return { found: 'untrusted', why: 'misplaced', fileSha256 };
  }
  if (verified.seal !== null && !sealsManifest(verified.seal, writer, sequence, fileSha256)) {
    return { found: 'untrusted', why: 'forged', fileSha256 };
  }
  return { found: 'link', link: { key, manifest, fileSha256, keyId: verified.keyId } };
}

/** The highest sequence number that a writer's manifests reach, or 0. Starts looking at `hint`, a number that was once
 * reached; where nothing is there any more, looks from the beginning. */
export async function lastSequence(parts: ChainParts, writer: string, hint: number): Promise<number> {
  const from = hint > 1 ? parts.layout.manifest(writer, hint - 1) : null;
  let last = 0;
  for await (const { key } of listAll(parts.store, parts.layout.manifestsOf(writer), from)) {
    last = Math.max(last, sequenceInKey(key) ?? 0);
  }
  return last === 0 && from !== null ? lastSequence(parts, writer, 0) : last;
}
