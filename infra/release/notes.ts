import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** The entries of one version in CHANGELOG.md. Throws where it has none. */
export function notesOf(changelog: string, version: string): string {
  const sections = changelog.split(/^## /m).slice(1);
  const section = sections.find((one) => one.split('\n', 1)[0]?.split(' ')[0] === version);
  const notes = section?.slice(section.indexOf('\n')).trim();
  if (!notes) throw new Error(`CHANGELOG.md has no notes for ${version}`);
  return `${notes}\n`;
}

if (import.meta.main) {
  const changelog = await readFile(join(import.meta.dirname, '../../CHANGELOG.md'), 'utf8');
  process.stdout.write(notesOf(changelog, process.argv[2] ?? ''));
}
