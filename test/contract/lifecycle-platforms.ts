import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { archiveSteps } from '../../lib/compose/archive/scheduled-archive.ts';
import type { Platform } from '../../lib/compose/runtime.ts';
import { authorizerSteps } from '../../lib/compose/steps.ts';
import type { Config } from '../../lib/config/load.ts';
import { configFromEnv } from '../../lib/config/options/options.ts';
import { type Problem, problemLine } from '../../lib/config/problem.ts';
import { cliPlatform } from '../../lib/platform/cli/platform.ts';
import { lambdaArchivePlatform } from '../../lib/platform/lambda/archive-platform.ts';
import { lambdaPlatform } from '../../lib/platform/lambda/platform.ts';
import { nodePlatform } from '../../lib/platform/node/platform.ts';
import { workerArchivePlatform } from '../../lib/platform/workers/archive-platform.ts';
import { workersPlatform } from '../../lib/platform/workers/platform.ts';
import { listenOnLoopback } from '../support/loopback-server.ts';

type Env = Readonly<Record<string, unknown>>;

/** Where one platform keeps a secret outside its environment. */
export interface SecretPlace {
  /** What stands in the environment for the secret of this name. */
  variables(name: string): Env;
  /** Puts another value there; null: it cannot be read any more. */
  put(value: string | null): Promise<void>;
  remove(): Promise<void>;
}

/** What a lifecycle prints, and what it composed. */
export interface Observed {
  /** Problems that kept it from being ready, one line each. */
  readonly refused: string[];
  /** Events that it logged, each with its facts. */
  readonly logged: string[];
}

/** One platform under the contract. */
export interface Subject {
  readonly name: string;
  /** Whether it looks for new secrets by itself, while it serves. A command reads them once. */
  readonly looks: boolean;
  /** Whether its parts decide requests. */
  readonly decides: boolean;
  secretPlace(): Promise<SecretPlace>;
  open(env: Env): OpenSubject;
}

/** A platform opened with an environment, and the steps of its lifecycle. */
export interface OpenSubject {
  readonly platform: Platform;
  readonly steps: SubjectSteps;
}

/** The steps of any lifecycle, by what they have in common. */
export interface SubjectSteps {
  compose(config: Config, before: unknown): unknown;
  adopt(parts: unknown, before: unknown): void;
  keeper(parts: unknown): ReturnType<ReturnType<typeof authorizerSteps>['keeper']>;
  refreshSeconds(parts: unknown): number;
}

function deciding(platform: Parameters<typeof authorizerSteps>[0]): OpenSubject {
  return { platform, steps: authorizerSteps(platform) as SubjectSteps };
}

function archiving(platform: Parameters<typeof archiveSteps>[0]): OpenSubject {
  return { platform, steps: archiveSteps(platform) as SubjectSteps };
}

/** The same platform, its words kept instead of printed. */
export function observed(platform: Platform): { readonly platform: Platform; readonly seen: Observed } {
  const seen: Observed = { refused: [], logged: [] };
  return {
    seen,
    platform: {
      ...platform,
      accessLine: null,
      log: (_level, event, facts = {}) => void seen.logged.push(`${event} ${JSON.stringify(facts)}`),
      fatal: (problems: readonly Problem[]) => void seen.refused.push(...problems.map(problemLine)),
    },
  };
}

/** A mounted file, replaced as a mount does it. */
async function mountedFile(): Promise<SecretPlace> {
  const folder = await mkdtemp(join(tmpdir(), 'tgefd-lifecycle-'));
  const path = join(folder, 'secret');
  return {
    variables: (name) => ({ [`${name}_FILE`]: path }),
    async put(value) {
      if (value === null) return rm(path);
      await writeFile(`${path}.new`, value, { mode: 0o600 });
      await rename(`${path}.new`, path);
    },
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}

/** A binding to a secret of the Secrets Store: an object with `get()`. */
async function secretBinding(): Promise<SecretPlace> {
  let held: string | null = null;
  const binding = {
    get: async () => {
      if (held === null) throw new Error('no such secret');
      return held;
    },
  };
  return {
    variables: (name) => ({ [name]: binding }),
    put: async (value) => {
      held = value;
    },
    remove: async () => {},
  };
}

/** Secrets Manager behind the extension of a Lambda function. */
async function extensionSecret(): Promise<SecretPlace> {
  let held: string | null = null;
  const server = await listenOnLoopback(
    createServer((_request, response) => {
      response.writeHead(held === null ? 500 : 200, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ SecretString: held }));
    }),
  );
  return {
    variables: (name) => ({
      [name]: 'aws-sm:perimeter/secret',
      PARAMETERS_SECRETS_EXTENSION_HTTP_PORT: `${server.port}`,
      AWS_SESSION_TOKEN: 'session-token',
      AWS_REGION: 'eu-central-1',
    }),
    put: async (value) => {
      held = value;
    },
    remove: () => server.down(),
  };
}

type Strings = Readonly<Record<string, string | undefined>>;

/** Every platform of the product. The process around each is tested in lifecycle-doors.test.ts. */
export const subjects: readonly Subject[] = [
  {
    name: 'Node',
    looks: true,
    decides: true,
    secretPlace: mountedFile,
    open: (env) => deciding(nodePlatform().open({ options: configFromEnv(env), bindings: null, role: 'library' })),
  },
  {
    name: 'a Worker',
    looks: true,
    decides: true,
    secretPlace: secretBinding,
    open: (env) => deciding(workersPlatform().open({ options: configFromEnv(), bindings: env, role: 'gateway' })),
  },
  {
    name: 'a Lambda authorizer',
    looks: true,
    decides: true,
    secretPlace: extensionSecret,
    open: (env) => deciding(lambdaPlatform().open({ options: configFromEnv(env), bindings: null, role: 'gateway' })),
  },
  {
    name: 'the archive as a Worker',
    looks: true,
    decides: false,
    secretPlace: secretBinding,
    open: (env) => archiving(workerArchivePlatform(env)),
  },
  {
    name: 'the archive as a Lambda function',
    looks: true,
    decides: false,
    secretPlace: extensionSecret,
    open: (env) => archiving(lambdaArchivePlatform(env as Strings)),
  },
  {
    name: 'the command line',
    looks: false,
    decides: true,
    secretPlace: mountedFile,
    open: (env) => deciding(cliPlatform({ env: env as Strings, err: () => undefined }, 'gateway', true)),
  },
];
