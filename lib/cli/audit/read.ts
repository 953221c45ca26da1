import { open } from 'node:fs/promises';
import { certificateIdentity } from '../../authenticate/certificate/certificate-subject.ts';
import type { Config } from '../../config/load.ts';
import { accessLine, csvHeader, csvLine, readableLine } from '../../verify/format.ts';
import { type Found, type Query, searchAccesses, searchArchive } from '../../verify/query.ts';
import { command, Failure, type Output, Unusable, Usage } from '../command.ts';
import { counted } from '../line/text.ts';
import type { Options, Values } from '../line/words.ts';
import { type FoundRecord, searchOutbox, searchSpilled } from './outbox.ts';
import { instant, type OpenArchive, openArchive, periodOptions, placeOptions, progressTo } from './parts.ts';
import { pseudonymsOf } from './pseudonym.ts';

const searchOptions = {
  ...periodOptions,
  identity: { type: 'string', value: 'NAME', means: 'Only records of this caller. Needs TGEFD_AUDIT_PSEUDONYM_KEY.' },
  pseudonym: { type: 'string', value: 'PSEUDONYM', means: 'Only records of the caller with this pseudonym.' },
  address: { type: 'string', value: 'ADDRESS', means: 'Only records of this address. Needs the key as well.' },
  action: { type: 'string', value: 'ACTION', means: 'Only records of this action, as the endpoint table names it.' },
  outcome: { type: 'string', choices: ['allowed', 'denied', 'would_deny'], means: 'Only records with this outcome.' },
  'request-id': { type: 'string', value: 'ID', means: 'Only the records of this request.' },
  'key-id': { type: 'string', value: 'ID', means: 'Only records of credentials with this key id.' },
  shadow: { type: 'boolean', means: 'Only records that a trial would have decided differently.' },
  ...placeOptions,
} as const satisfies Options;

type SearchValues = Values<typeof searchOptions>;

/** What is given in clear is made a pseudonym here, under every key that is known; it goes nowhere else. */
async function named(
  kind: 'identity' | 'address',
  { [kind]: value }: SearchValues,
  config: Config | null,
  otherwise = '',
): Promise<readonly string[] | null> {
  if (value === undefined) return null;
  const pseudonyms = pseudonymsOf(config);
  if (pseudonyms === null) throw new Failure('not_configured', `--${kind} needs TGEFD_AUDIT_PSEUDONYM_KEY${otherwise}`);
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

/** What a search hands on. */
interface Shown {
  record(record: FoundRecord): void | Promise<void>;
  /** A piece of the archive that could not be searched. */
  damage?(piece: Damage): void;
  /** Whether the search is content with records; default: it is. */
  readonly mayFind?: boolean;
}

/** Searches, and hands on every record. */
async function search(
  values: SearchValues,
  console: Output,
  { record: show, damage, mayFind = true }: Shown,
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
      damage?.(found);
      tellDamage(found, console);
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

type Damage = Extract<Found, { found: 'damage' }>;

function tellDamage({ key, why }: Damage, console: Output): void {
  console.err(`not searched: ${key}: ${why} (audit verify tells more)`);
}

/** The line of JSON about a piece of the archive that could not be searched, among the lines of records. */
function notSearched({ key, why }: Damage) {
  return { type: 'not_searched', key, why };
}

const NOT_SEARCHED = 'For a part that could not be searched: `{"type": "not_searched", "key", "why"}`.';
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
      does: 'Checks that no request of alice was allowed for an hour.',
    },
  ],
  json: `One record a line. docs/reference/records.md has its members. ${NOT_SEARCHED}`,
  exits: { no: `${UNREADABLE} With --none: there is a record.` },
  async run({ none, ...values }, console) {
    const record = (each: FoundRecord) => {
      console.answer(each);
      console.out(readableLine(each));
    };
    const damage = (piece: Damage) => console.answer(notSearched(piece));
    return (await search(values, console, { record, damage, mayFind: !none })).status;
  },
});

export const accesses = command({
  summary: 'Finds readings of secrets in the archive: which secret, which process, when, and every failure.',
  options: {
    variable: { type: 'string', value: 'VARIABLE', means: 'Only readings of this secret.' },
    ...periodOptions,
    ...placeOptions,
  },
  examples: [{ line: 'audit accesses --variable TGEFD_JWT_SECRET --from 7d', does: 'Shows who read the secret.' }],
  json: `One record a line, of type \`secret_access\`. ${NOT_SEARCHED}`,
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
        console.answer(notSearched(found));
        tellDamage(found, console);
      }
    }
    if (records === 0) console.err('no reading was found');
    return damaged === 0 ? 0 : 1;
  },
});

export const exportRecords = command({
  summary: 'Writes records of the archive as NDJSON or CSV.',
  options: {
    format: { type: 'string', choices: ['ndjson', 'csv'], default: 'ndjson', means: 'Format of the records.' },
    output: { type: 'string', value: 'FILE', means: 'A new file for the records, which only its owner may read.' },
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
      const record = (each: FoundRecord) => write(format === 'csv' ? csvLine(each) : JSON.stringify(each));
      const { records, damaged, status } = await search(values, console, { record });
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
    throw new Unusable(`--output: ${path} exists already, or cannot be made`);
  });
}
