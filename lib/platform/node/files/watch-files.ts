import { unwatchFile, watchFile } from 'node:fs';

const LOOK_MS = 1_000;
/** Files that belong together are replaced one after the other. */
const SETTLE_MS = 250;

/**
 * Calls `changed` a moment after any of the files has. They are looked at by path, so that the replaced symbolic links of a
 * mounted secret are followed. Keeps no process alive; gives what ends the watch.
 */
export function watchFiles(paths: readonly string[], changed: () => void): () => void {
  let settling: NodeJS.Timeout | undefined;
  const seen = () => {
    clearTimeout(settling);
    settling = setTimeout(changed, SETTLE_MS).unref();
  };
  for (const path of paths) watchFile(path, { interval: LOOK_MS, persistent: false }, seen);
  return () => {
    clearTimeout(settling);
    for (const path of paths) unwatchFile(path, seen);
  };
}
