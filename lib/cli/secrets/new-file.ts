import { open } from 'node:fs/promises';
import { Unusable } from '../command.ts';

/** Writes a secret to a new file that only its owner may read, never over another file. */
export async function writeNewFile(path: string, value: string): Promise<void> {
  const file = await open(path, 'wx', 0o600).catch(() => {
    throw new Unusable(`--out: ${path} exists already, or cannot be made`);
  });
  try {
    await file.writeFile(value);
  } finally {
    await file.close();
  }
}
