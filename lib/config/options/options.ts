import type { Problem } from '../problem.ts';
import type { Env, Secret, Variable } from '../variable.ts';
import { type SettingKey, type Settings, variables } from '../variables.ts';

type JsonDocument = Readonly<Record<string, unknown>> | readonly Readonly<Record<string, unknown>>[];

/** A secret, or two values of it while it is being rotated. A private JWK may be given as an object. */
export type SecretOption = string | object | { readonly current: string | object; readonly previous: string | object };

/** A value as code writes it: a boolean, a number, a list, a URL, or the members of a JSON document. */
type OptionOf<T> = [T] extends [Secret<string> | null]
  ? SecretOption
  : [T] extends [URL | null]
    ? string | URL
    : [T] extends [boolean | number | null]
      ? NonNullable<T>
      : [T] extends [readonly string[] | null]
        ? readonly string[]
        : string extends T
          ? string | readonly string[] | JsonDocument
          : NonNullable<T>;

/** A row of the endpoint table, as an application writes it. */
export interface EndpointOption {
  readonly method: string;
  /** `{name}` stands for one segment, `{name...}` at the end for one or more. */
  readonly path: string;
  /** The scope that the row demands; null: any authenticated caller. */
  readonly scope:
    | string
    | null
    | { readonly any: readonly string[] | string }
    | { readonly all: readonly string[] | string };
  readonly budget: 'heavy' | 'read' | 'none';
  /** What the record calls it. */
  readonly action?: string;
  readonly [member: string]: unknown;
}

/**
 * Options written out in code: every setting of the configuration reference, by the name of its variable in camel case
 * and with units in its name (`TGEFD_JWKS_TTL_SEC` is `jwksTtlSeconds`). What is left out stands at its default.
 *
 * @example
 * const options: WrittenOptions = {
 *   environment: 'production',
 *   authMode: 'jwt',
 *   jwtIssuer: 'https://issuer.example',
 *   jwtAudience: 'urn:orders',
 *   jwksUrl: 'https://issuer.example/jwks',
 *   preset: 'none',
 *   endpoints: [{ method: 'GET', path: '/orders/{id}', scope: 'orders:read', budget: 'read' }],
 * };
 */
export type WrittenOptions = {
  readonly [K in Exclude<SettingKey, 'endpoints'>]?: OptionOf<Settings[K]> | undefined;
} & { readonly endpoints?: readonly EndpointOption[] | undefined };

/**
 * Options that stand in an environment: what {@link configFromEnv} returns.
 *
 * @example
 * const options: EnvironmentOptions = configFromEnv(process.env);
 */
export class EnvironmentOptions {
  /** The environment, or null for the one that the platform has. */
  readonly env: Env | null;

  constructor(env: Env | null) {
    this.env = env;
  }
}

/** What an authorizer is made of: options written out, or those of an environment. */
export type Options = WrittenOptions | EnvironmentOptions;

/**
 * Takes the configuration from an environment: the variables of the configuration reference (`TGEFD_…`), with secrets in
 * files and stores where the platform has them. Nothing is read or checked before the authorizer is made ready.
 *
 * @param env Variables by name, such as `process.env` or a Worker's `env`; left out: the platform's own.
 * @returns Options for `createAuthorizer`, `authorizer` of `tgefd-authorizer/hono`, and the handlers.
 * @example
 * app.use(authorizer(configFromEnv(process.env)));
 */
export function configFromEnv(env?: Env): EnvironmentOptions {
  return new EnvironmentOptions(env ?? null);
}

/** What a platform is opened with, once for each authorizer. */
export interface Opening {
  readonly options: Options;
  /** Variables and bindings that came with the first request (`env` of a Worker); null: the process has its own. */
  readonly bindings: Env | null;
  /** `library`: inside an application. `console`: for the pages of operators only. */
  readonly role: 'gateway' | 'library' | 'console';
}

/** Names that come from the configuration alone, so that options written out are the whole of it. */
const CONFIGURED = /^(TGEFD|UPSTASH)_/;

/**
 * The environment that options stand for, in the surroundings of a platform: its other variables and its bindings stay.
 * Options are not checked here: `loadConfig` does that.
 */
export function environmentOf(options: Options, surroundings: Env): Env {
  if (options instanceof EnvironmentOptions) return options.env ?? surroundings;
  const env: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(surroundings))
    if (!(CONFIGURED.test(name) && typeof value === 'string')) env[name] = value;
  for (const [key, value] of Object.entries(options)) {
    if (value === undefined || value === null) continue;
    const variable = Object.hasOwn(variables, key)
      ? (variables[key as SettingKey] as Variable<unknown, unknown>)
      : { name: `TGEFD_${key.replaceAll(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`, secret: false };
    if (variable.secret && isRotated(value)) {
      env[variable.name] = textOf(value.current);
      env[`${variable.name}_PREVIOUS`] = textOf(value.previous);
    } else env[variable.name] = textOf(value, 'fallback' in variable ? variable.fallback.production : null);
  }
  return env;
}

/** A problem in the words of options: named by the option, not by the variable that stands for it. */
export function optionProblem(options: Options, problem: Problem): Problem {
  if (options instanceof EnvironmentOptions) return problem;
  for (const [key, { name }] of Object.entries<{ readonly name: string }>(variables))
    if (name === problem.variable || `${name}_PREVIOUS` === problem.variable) return { ...problem, variable: key };
  return problem;
}

function isRotated(value: unknown): value is { readonly current: unknown; readonly previous: unknown } {
  return typeof value === 'object' && value !== null && 'current' in value && 'previous' in value;
}

/** A value as the table's parsers read it: lists by commas, everything else that has parts as JSON. */
function textOf(value: unknown, fallback: unknown = null): string {
  if (typeof value === 'string') return value;
  if (value instanceof URL) return value.href;
  if (Array.isArray(value)) {
    const isList = Array.isArray(fallback) || fallback === '' || value.some((item) => typeof item === 'string');
    return isList ? value.join(',') : JSON.stringify(value);
  }
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}
