import * as z from 'zod/mini';

/** Version of the manifest and anchor formats. */
export const MANIFEST_VERSION = 1;
/** More than any manifest or anchor has. */
export const DOCUMENT_MAXIMUM_BYTES = 256 * 1024;

const count = z.int().check(z.minimum(0));
const sequence = z.int().check(z.minimum(1));
const digest = z.string().check(z.regex(/^[0-9a-f]{64}$/));
const streamId = z.string().check(z.regex(/^\d{1,20}-[A-Za-z0-9._-]{1,160}$/));
const instant = z.iso.datetime({ precision: 3 });
const text = z.string().check(z.maxLength(1024));

/** Describes one batch and ties it to the one before: of its writer's chain, one link. */
export const manifestSchema = z.strictObject({
  type: z.literal('audit_manifest'),
  version: z.literal(MANIFEST_VERSION),
  writer: text,
  sequence,
  created_at: instant,
  object: z.strictObject({ key: text, bytes: count, sha256: digest, unpacked_bytes: count, records: count }),
  /** The batch holds every outbox entry after `after_stream_id` up to `last_stream_id`. */
  after_stream_id: z.nullable(streamId),
  first_stream_id: z.nullable(streamId),
  last_stream_id: z.nullable(streamId),
  late: count,
  first_ts: z.nullable(instant),
  last_ts: z.nullable(instant),
  /** SHA-256 of the previous manifest's whole file; null for the first. */
  previous_sha256: z.nullable(digest),
});

export type Manifest = z.infer<typeof manifestSchema>;

/** Fixes the heads of all chains at one time, and itself to the anchor before. */
export const anchorSchema = z.strictObject({
  type: z.literal('audit_anchor'),
  version: z.literal(MANIFEST_VERSION),
  hour: instant,
  created_at: instant,
  heads: z.array(
    z.strictObject({ writer: text, sequence, manifest_sha256: digest, last_stream_id: z.nullable(streamId) }),
  ),
  previous: z.nullable(z.strictObject({ key: text, sha256: digest })),
});

export type Anchor = z.infer<typeof anchorSchema>;

/** Parses the payload of a signed document; null where it is not of this shape. */
export function parseManifest(payload: string): Manifest | null {
  return parse(manifestSchema, payload);
}
/** The same for anchors. */
export function parseAnchor(payload: string): Anchor | null {
  return parse(anchorSchema, payload);
}

function parse<T>(schema: z.ZodMiniType<T>, payload: string): T | null {
  let value: unknown;
  try {
    value = JSON.parse(payload);
  } catch {
    return null;
  }
  const parsed = schema.safeParse(value);
  return parsed.success ? parsed.data : null;
}
