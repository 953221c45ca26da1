import { hidingValues, sentenceWithoutSecrets } from '../config/masking.ts';
import { secretNames } from '../config/sources.ts';
import { outageSentence, RedisFailure } from '../redis/failure.ts';
import { namesOfError, StorageFailure, storageCause } from '../storage/storage-failure.ts';
import { Failure, type FailureCode, Usage } from './line/failures.ts';

const LONGEST = 300;
const FILE_ERRORS: ReadonlyMap<string, string> = new Map([
  ['ENOENT', 'there is no such file'],
  ['EACCES', 'the file may not be read or written'],
  ['EISDIR', 'the path is a folder'],
  ['ENOSPC', 'the disk is full'],
]);

const NETWORK_ERRORS: ReadonlyMap<string, string> = new Map([
  ['deadline', 'did not answer in time'],
  ['unreachable', 'cannot be reached'],
  ['certificate', 'shows a certificate that is not trusted, or is for another name'],
]);

/**
 * One sentence about what ended a command, for a terminal: no stack, no source, no secret of the environment.
 *
 * @param error - whatever was thrown.
 * @param env - the environment of the command, whose secrets are hidden.
 * @returns the sentence.
 */
export function failureSentence(error: unknown, env: Readonly<Record<string, string | undefined>>): string {
  const hide = hidingValues(secretNames.flatMap((name) => env[name] ?? []));
  const open = hide(sentenceWithoutSecrets(sentence(error).replace(/\s+/g, ' ').trim()));
  return open.length > LONGEST ? `${open.slice(0, LONGEST)}…` : open;
}

/** What kind of failure an error is, for programs. */
export function failureCodeOf(error: unknown): FailureCode {
  if (error instanceof Usage) return 'usage';
  if (error instanceof Failure) return error.code;
  if (!(error instanceof Error)) return 'failed';
  if (error instanceof RedisFailure) return 'unavailable';
  if (error instanceof StorageFailure || '$metadata' in error || NETWORK_ERRORS.has(storageCause(error)))
    return 'unavailable';
  return namesOfError(error).some((name) => FILE_ERRORS.has(name)) ? 'input_invalid' : 'failed';
}

function sentence(error: unknown): string {
  if (error instanceof StorageFailure) return error.message;
  if (error instanceof RedisFailure) return outageSentence(error.kind);
  if (!(error instanceof Error)) return 'failed for a reason that has no name';
  const { path } = error as { path?: unknown };
  const names = namesOfError(error);
  const ofFile = names.map((name) => FILE_ERRORS.get(name)).find((found) => found !== undefined);
  if (ofFile !== undefined && typeof path === 'string') return `${path}: ${ofFile}`;
  if ('$metadata' in error) return new StorageFailure('calling', 'the object store', error).message;
  const network = NETWORK_ERRORS.get(storageCause(error));
  if (network !== undefined)
    return `${placeOf(error)} ${network} (${names.find((name) => !/^(Aggregate)?Error$/.test(name)) ?? error.name})`;
  return error.message === '' ? error.name : error.message;
}

function placeOf(error: Error): string {
  const { hostname, host, address, port } = error as unknown as Readonly<Record<string, unknown>>;
  const [name] = [hostname, host, address].filter((each) => typeof each === 'string');
  if (typeof name !== 'string') return 'another service';
  return typeof port === 'number' ? `${name}:${port}` : name;
}
