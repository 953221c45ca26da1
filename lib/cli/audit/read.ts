import { open } from 'node:fs/promises';
import { createPseudonyms, type Pseudonyms } from '../../audit/pseudonym.ts';
import { certificateIdentity } from '../../authenticate/certificate/certificate-subject.ts';
import type { Config } from '../../config/load.ts';
import { accessLine, csvHeader, csvLine, readableLine } from '../../verify/format.ts';
import { type Query, searchAccesses, searchArchive } from '../../verify/query.ts';
import { command, Failure, type Output, Usage } from '../command.ts';
import { counted } from '../line/text.ts';
import type { Options, Values } from '../line/words.ts';
import { type FoundRecord, searchOutbox, searchSpilled } from './outbox.ts';
import {
  archiveConfig,
  instant,
  type OpenArchive,
  openArchive,
  periodOptions,
  placeOptions,
  progressTo,
} from './parts.ts';

const searchOptions = {
  ...periodOptions,
  identity: { type: 'string', value: 'NAME', means: 'Only records of this caller. Needs TGEFD_AUDIT_PSEUDONYM_KEY.' },
  pseudonym: { type: 'string', value: 'PSEUDONYM', means: 'Only records of the caller with this pseudonym.' },
  address: { type: 'string', value: 'ADDRESS', means: 'Only records of this address. Needs the key as well.' },
  action: { type: 'string', value: 'ACTION', means: 'Only records of this action, as the endpoint table names it.' },
  outcome: { type: 'string', choices: ['allowed', 'denied', 'would_deny'], means: 'Only records with this outcome.' },
  'request-id': { type: 'string', value: 'ID', means: 'Only the records of this request.' },
  'key-id': { type: 'string', value: 'ID', means: 'Only records of credentials with this key id.' },
  shadow: { type: 'boolean', means: 'Only records in which a trial would have decided otherwise.' },
  ...placeOptions,
} as const satisfies Options;

type SearchValues = Values<typeof searchOptions>;

function pseudonymsOf(config: Config | null): Pseudonyms | null {
  const key = config?.settings.auditPseudonymKey;
  return key ? createPseudonyms({ key: key.current, previousKeys: key.previous ? [key.previous] : [] }) : null;
}

/** What is given in clear is made a pseudonym here, under every key that is known; it goes nowhere else. */
async function named(
  kind: 'identity' | 'address',
  { [kind]: value }: SearchValues,
  config: Config | null,
  otherwise = '',
): Promise<readonly string[] | null> {
  if (value === undefined) return null;
  const pseudonyms = pseudonymsOf(config);
  if (pseudonyms === null) throw new Usage(`--${kind} needs TGEFD_AUDIT_PSEUDONYM_KEY${otherwise}`);
  if (kind === 'address') return pseudonyms.all(kind, value);
  const asCertificate = await pseudonyms.all(kind, certificateIdentity(value));
  return [...(await pseudonyms.all(kind, value)), ...asCertificate];
}

async function queryOf(values: SearchValues, archive: OpenArchive): Promise<Query> {
  const { outcome } = values;
  const nowMs = Date.now();
  return {
    fromMs: instant('from', values.from, nowMs),
    toMs: instant('to', values.to, nowMs),
    identities:
      values.pseudonym === undefined
        ? await named('identity', values, archive.config, '; or give --pseudonym')
        : [values.pseudonym],
    addresses: await named('address', values, archive.config),
    action: values.action ?? null,
    outcome: outcome ?? null,
    requestId: values['request-id'] ?? null,
    keyId: values['key-id'] ?? null,
    shadow: values.shadow,
  };
}

interface Searched {
  readonly records: number;
  readonly damaged: number;
  /** 1 when a part of the archive could not be searched, or when there are records and none may be. */
  readonly status: number;
}

/** Searches, and hands on every record. */
async function search(
  values: SearchValues,
  console: Output,
  show: (record: FoundRecord) => void | Promise<void>,
  mayFind = true,
): Promise<Searched> {
  const archive = await openArchive(values, console);
  const query = await queryOf(values, archive);
  let [records, damaged] = [0, 0];
  const waiting = new Map(archive.config === null ? [] : await searchOutbox(query, console));
  const spilled = archive.config === null ? [] : await searchSpilled(query, archive);
  for (const [id, record] of spilled ?? []) waiting.set(id, record);
  for await (const found of searchArchive(query, archive, progressTo(console, 'batch', 'searched'))) {
    if (found.found === 'record') {
      records++;
      waiting.delete(found.record.id);
      await show(found.record);
    } else {
      damaged++;
      console.err(`not searched: ${found.key}: ${found.why} (audit verify tells more)`);
    }
  }
  for (const record of waiting.values()) await show(record);
  records += waiting.size;
  if (spilled === null) console.err('spilled records were not searched: the archive takes them with its next run');
  if (waiting.size > 0) console.err(`${waiting.size} of them not archived yet`);
  console.err(`${counted(records, 'record')}${damaged === 0 ? '' : `, ${counted(damaged, 'damaged piece')}`}`);
  const isWell = damaged === 0 && (mayFind || records === 0);
  return { records, damaged, status: isWell ? 0 : 1 };
}

const UNREADABLE = 'A part of the archive could not be searched.';

export const query = command({
  summary: 'Finds records in the archive and in the outbox.',
  options: {
    ...searchOptions,
    none: { type: 'boolean', means: 'Ends with exit status 1 when there is a record.' },
  },
  examples: [
    { line: 'audit query --from 24h --outcome denied', does: 'Shows what was denied in the last day.' },
    {
      line: 'audit query --identity alice --outcome allowed --from 1h --none',
      does: 'Proves that alice has not been let in for an hour.',
    },
  ],
  json: 'One record a line. docs/reference/records.md has its members.',
  exits: { no: `${UNREADABLE} With --none: there is a record.` },
  async run({ none, ...values }, console) {
    const show = (record: FoundRecord) => {
      console.answer(record);
      console.out(readableLine(record));
    };
    return (await search(values, console, show, !none)).status;
  },
});

export const accesses = command({
  summary: 'Finds readings of secrets in the archive: which, by what, when, and every failure.',
  options: {
    variable: { type: 'string', value: 'VARIABLE', means: 'Only readings of this secret.' },
    ...periodOptions,
    ...placeOptions,
  },
  examples: [{ line: 'audit accesses --variable TGEFD_JWT_SECRET --from 7d', does: 'Shows who read the secret.' }],
  json: 'One record a line, of type `secret_access`.',
  exits: { no: UNREADABLE },
  async run(values, console) {
    const archive = await openArchive(values, console);
    const nowMs = Date.now();
    const wanted = {
      fromMs: instant('from', values.from, nowMs),
      toMs: instant('to', values.to, nowMs),
      variable: values.variable ?? null,
    };
    let [records, damaged] = [0, 0];
    for await (const found of searchAccesses(wanted, archive, progressTo(console, 'batch', 'searched'))) {
      if (found.found === 'record') {
        records++;
        console.answer(found.record);
        console.out(accessLine(found.record));
      } else {
        damaged++;
        console.err(`not searched: ${found.key}: ${found.why} (audit verify tells more)`);
      }
    }
    if (records === 0) console.err('no reading was found');
    return damaged === 0 ? 0 : 1;
  },
});

export const exportRecords = command({
  summary: 'Writes records of the archive as NDJSON or CSV.',
  options: {
    format: { type: 'string', choices: ['ndjson', 'csv'], default: 'ndjson', means: 'The form of the records.' },
    output: { type: 'string', value: 'FILE', means: 'A new file for them, which only its owner may read.' },
    ...searchOptions,
  },
  examples: [
    {
      line: 'audit export --from 2026-11-01 --to 2026-12-01 --format csv --output november.csv',
      does: 'Writes a month.',
    },
  ],
  json: 'The records as NDJSON; with `--output` an object: `output`, `records`, `damaged`.',
  exits: { no: UNREADABLE },
  async run({ format, output, json, ...values }, console) {
    if (json && output === undefined && format === 'csv') throw new Usage('--json and --format csv need --output FILE');
    const file = output === undefined ? null : await newFile(output);
    const end = format === 'csv' ? '\r\n' : '\n';
    const write = async (line: string) => {
      if (file === null) console.document(line);
      else await file.write(line + end);
    };
    if (format === 'csv') await write(csvHeader());
    try {
      const show = (record: FoundRecord) => write(format === 'csv' ? csvLine(record) : JSON.stringify(record));
      const { records, damaged, status } = await search(values, console, show);
      if (output !== undefined) console.answer({ output, records, damaged });
      return status;
    } finally {
      await file?.close();
    }
  },
});

/** A file of its own for what leaves the archive: readable by its owner, and never written over another. */
function newFile(path: string) {
  return open(path, 'wx', 0o600).catch(() => {
    throw new Usage(`--output: ${path} is there already, or cannot be made`);
  });
}

export const pseudonym = command({
  summary: 'Tells the pseudonyms of a caller or an address, for who holds the key.',
  options: {
    identity: { type: 'string', value: 'NAME', means: 'The caller, by the subject of its tokens.' },
    address: { type: 'string', value: 'ADDRESS', means: 'The address.' },
  },
  examples: [{ line: 'audit pseudonym --identity alice', does: 'Tells under which names records have alice.' }],
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
