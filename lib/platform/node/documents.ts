import type { ReadSecret } from '../../config/sources.ts';

/** Turns YAML into the same document as JSON text; rejects what is no such document. */
export type YamlToJson = (text: string) => Promise<string>;

const LONGEST_DOCUMENT_BYTES = 4 * 1024 * 1024;

/**
 * Makes the reader of JSON documents in files (`TGEFD_POLICY_FILE` and every other `X_FILE` that holds JSON). A file is read
 * once: a process keeps the documents that it began with, and a new one counts after a restart.
 *
 * @param yaml - reads files whose name ends in `.yaml` or `.yml`; null where YAML is not read.
 * @returns the reader. It rejects with a message that names the fault and nothing of the content.
 */
export function createDocumentReader(yaml: YamlToJson | null): ReadSecret {
  const known = new Map<string, string>();
  return async (path) => {
    const before = known.get(path);
    if (before !== undefined) return before;
    const text = await textOf(path);
    const isYaml = /\.ya?ml$/i.test(path);
    if (isYaml && yaml === null) throw new Error('a YAML file, which is read on Node and by the command only');
    const json = isYaml && yaml !== null ? await yaml(text) : text;
    known.set(path, json);
    return json;
  };
}

async function textOf(path: string): Promise<string> {
  let bytes: Buffer;
  try {
    bytes = await (await import('node:fs/promises')).readFile(path);
  } catch (error) {
    throw new Error(`a file that cannot be read (${(error as { code?: string }).code ?? 'unknown'})`);
  }
  if (bytes.length > LONGEST_DOCUMENT_BYTES) throw new Error(`a file of ${bytes.length} bytes`);
  return bytes.toString('utf8').replace(/^\uFEFF/, '');
}
