import { createPseudonyms, type Pseudonyms } from '../../audit/pseudonym.ts';
import type { Config } from '../../config/load.ts';
import { command, Failure, Usage } from '../command.ts';
import { archiveConfig } from './parts.ts';

/** The pseudonyms of a configuration, or null without a key. */
export function pseudonymsOf(config: Config | null): Pseudonyms | null {
  const key = config?.settings.auditPseudonymKey;
  return key ? createPseudonyms({ key: key.current, previousKeys: key.previous ? [key.previous] : [] }) : null;
}

export const pseudonym = command({
  summary: 'Prints the pseudonyms of a caller or an address. Needs the pseudonym key.',
  options: {
    identity: { type: 'string', value: 'NAME', means: 'The caller, by the subject of its tokens.' },
    address: { type: 'string', value: 'ADDRESS', means: 'The address.' },
  },
  examples: [{ line: 'audit pseudonym --identity alice', does: 'Prints the pseudonyms of alice in records.' }],
  json: 'An object: `kind` (`identity` or `address`) and `pseudonyms`, that of the key in force first.',
  notes: ['Give --identity or --address. TGEFD_AUDIT_PSEUDONYM_KEY must be set.'],
  async run(values, console) {
    const value = values.identity ?? values.address;
    if (value === undefined || (values.identity !== undefined && values.address !== undefined)) {
      throw new Usage('give --identity or --address');
    }
    const pseudonyms = pseudonymsOf(await archiveConfig(console));
    if (pseudonyms === null) throw new Failure('not_configured', 'TGEFD_AUDIT_PSEUDONYM_KEY is not set');
    const kind = values.identity === undefined ? 'address' : 'identity';
    const names = await pseudonyms.all(kind, value);
    console.answer({ kind, pseudonyms: names });
    for (const name of names) console.out(name);
    return 0;
  },
});
