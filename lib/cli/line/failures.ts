import type { Problem } from '../../config/problem.ts';

/** Thrown by a command that was called wrongly; the message is shown with its usage. */
export class Usage extends Error {}

/** Why a command could not do its work, for programs. */
export const failureCodes = {
  usage: 'The command was called wrongly. The exit status is 2.',
  configuration_invalid: 'The configuration or a policy is invalid; `problems` has an object for each.',
  not_configured: 'The environment lacks a setting that the command needs.',
  input_invalid: 'A file is missing, exists already, or has invalid content.',
  unavailable: 'A store, an issuer or another service does not answer, or refuses.',
  failed: 'Another fault.',
} as const;
export type FailureCode = keyof typeof failureCodes;

interface Found {
  readonly problems?: readonly Problem[];
  readonly warnings?: readonly Problem[];
}

/** Thrown by a command that cannot do its work; the message is one sentence. */
export class Failure extends Error {
  readonly code: FailureCode;
  readonly problems: readonly Problem[];
  readonly warnings: readonly Problem[];

  constructor(code: FailureCode, message: string, { problems = [], warnings = [] }: Found = {}) {
    super(message);
    this.code = code;
    this.problems = problems;
    this.warnings = warnings;
  }
}

/** Thrown for a file that cannot be used. */
export class Unusable extends Failure {
  constructor(message: string) {
    super('input_invalid', message);
  }
}
