import { open } from 'node:fs/promises';
import { createPseudonyms, type Pseudonyms } from '../../audit/pseudonym.ts';
import { certificateIdentity } from '../../authenticate/certificate/certificate-subject.ts';
import type { Config } from '../../config/load.ts';
import { accessLine, csvHeader, csvLine, readableLine } from '../../verify/format.ts';
import { type Query, searchAccesses, searchArchive } from '../../verify/query.ts';
import { type Command, type Console, options, Usage } from '../command.ts';
import { searchOutbox } from './outbox.ts';
import {
  archiveConfig,
  instant,
  type OpenArchive,
  openArchive,
  PLACE_USAGE,
  placeOptions,
  progressTo,
} from './parts.ts';

const searchOptions = {
  ...placeOptions,
  from: { type: 'string' },
  to: { type: 'string' },
  identity: { type: 'string' },
  pseudonym: { type: 'string' },
  address: { type: 'string' },
  action: { type: 'string' },
  outcome: { type: 'string' },
  'request-id': { type: 'string' },
  'key-id': { type: 'string' },
  shadow: { type: 'boolean', default: false },
} as const;
const SEARCH_USAGE = `[--from TIME] [--to TIME] [--identity NAME | --pseudonym P] [--address ADDRESS] [--action A] [--outcome allowed|denied|would_deny] [--request-id ID] [--key-id ID] [--shadow] ${PLACE_USAGE}`;

type SearchValues = { readonly [name in Exclude<keyof typeof searchOptions, 'shadow'>]?: string | undefined } & {
  readonly shadow?: boolean | undefined;
};

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
  if (outcome !== undefined && outcome !== 'allowed' && outcome !== 'denied' && outcome !== 'would_deny') {
    throw new Usage('--outcome is allowed, denied or would_deny');
  }
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
    shadow: values.shadow ?? false,
  };
}

/** Searches, and hands on every record; gives the exit code: 1 when a part of the archive could not be searched, or when
 * there are records and none may be. */
async function search(
  values: SearchValues,
  console: Console,
  show: (record: Parameters<typeof csvLine>[0]) => void | Promise<void>,
  mayFind = true,
): Promise<number> {
  const archive = await openArchive(values, console);
  if (archive === null) return 1;
  const query = await queryOf(values, archive);
  let [records, damaged] = [0, 0];
  const waiting = new Map(archive.config === null ? [] : await searchOutbox(query, console));
  for await (const found of searchArchive(query, archive, progressTo(console, 'batches searched'))) {
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
  if (waiting.size > 0) console.err(`${waiting.size} of them not archived yet`);
  console.err(`${records} records${damaged === 0 ? '' : `, ${damaged} damaged pieces`}`);
  return damaged === 0 && (mayFind || records === 0) ? 0 : 1;
}

export const query: Command = {
  summary: 'finds records in the archive',
  usage: `audit query ${SEARCH_USAGE} [--json] [--none: exit code 1 when there is one]`,
  async run(args, console) {
    const { values } = options(args, {
      ...searchOptions,
      json: { type: 'boolean', default: false },
      none: { type: 'boolean', default: false },
    });
    return search(
      values,
      console,
      (record) => console.out(values.json ? JSON.stringify(record) : readableLine(record)),
      !values.none,
    );
  },
};

export const accesses: Command = {
  summary: 'finds readings of secrets in the archive: which, by what, when, and every failure',
  usage: `audit accesses [--variable X] [--from TIME] [--to TIME] [--json] ${PLACE_USAGE}`,
  async run(args, console) {
    const { values } = options(args, {
      ...placeOptions,
      from: { type: 'string' },
      to: { type: 'string' },
      variable: { type: 'string' },
      json: { type: 'boolean', default: false },
    });
    const archive = await openArchive(values, console);
    if (archive === null) return 1;
    const nowMs = Date.now();
    const wanted = {
      fromMs: instant('from', values.from, nowMs),
      toMs: instant('to', values.to, nowMs),
      variable: values.variable ?? null,
    };
    let damaged = 0;
    for await (const found of searchAccesses(wanted, archive, progressTo(console, 'batches searched'))) {
      if (found.found === 'record') console.out(values.json ? JSON.stringify(found.record) : accessLine(found.record));
      else {
        damaged++;
        console.err(`not searched: ${found.key}: ${found.why} (audit verify tells more)`);
      }
    }
    return damaged === 0 ? 0 : 1;
  },
};

export const exportRecords: Command = {
  summary: 'writes records of the archive as NDJSON or CSV',
  usage: `audit export [--format ndjson|csv] [--output FILE] ${SEARCH_USAGE}`,
  async run(args, console) {
    const { values } = options(args, {
      ...searchOptions,
      format: { type: 'string', default: 'ndjson' },
      output: { type: 'string' },
    });
    const { format, output } = values;
    if (format !== 'ndjson' && format !== 'csv') throw new Usage('--format is ndjson or csv');
    const file = output === undefined ? null : await newFile(output);
    const end = format === 'csv' ? '\r\n' : '\n';
    const write = async (line: string) => {
      if (file === null) console.out(line);
      else await file.write(line + end);
    };
    if (format === 'csv') await write(csvHeader());
    try {
      return await search(values, console, (record) =>
        write(format === 'csv' ? csvLine(record) : JSON.stringify(record)),
      );
    } finally {
      await file?.close();
    }
  },
};

/** A file of its own for what leaves the archive: readable by its owner, and never written over another. */
function newFile(path: string) {
  return open(path, 'wx', 0o600).catch(() => {
    throw new Usage(`--output: ${path} is there already, or cannot be made`);
  });
}

export const pseudonym: Command = {
  summary: 'tells the pseudonyms of a caller or an address, for who holds the key',
  usage: 'audit pseudonym --identity NAME | --address ADDRESS',
  async run(args, console) {
    const { values } = options(args, { identity: { type: 'string' }, address: { type: 'string' } });
    const value = values.identity ?? values.address;
    if (value === undefined || (values.identity !== undefined && values.address !== undefined)) {
      throw new Usage('give --identity or --address');
    }
    const config = await archiveConfig(console);
    if (config === null) return 1;
    const pseudonyms = pseudonymsOf(config);
    if (pseudonyms === null) {
      console.err('TGEFD_AUDIT_PSEUDONYM_KEY is not set');
      return 1;
    }
    const kind = values.identity === undefined ? 'address' : 'identity';
    for (const name of await pseudonyms.all(kind, value)) console.out(name);
    return 0;
  },
};
