import type { Note } from './notes.ts';

/** A security requirement (OpenAPI 3.1 §4.8.30): scheme name → scopes. All schemes of one requirement are needed. */
export type Requirement = Readonly<Record<string, readonly string[]>>;

/** One operation, as far as a row can say it. */
export interface Operation {
  readonly method: string;
  readonly path: string;
  readonly operationId: string | null;
  /** Alternatives; null: neither the operation nor the description says anything. */
  readonly security: readonly Requirement[] | null;
  /** Base paths of the servers that hold for the operation. */
  readonly basePaths: readonly string[];
  /** `x-tgefd-budget`. */
  readonly budget: string | null;
}

/** Kind of a security scheme, as far as the product knows it. */
export type SchemeKind = 'token' | 'certificate' | 'API key' | 'HTTP basic' | 'unsupported';

export interface Description {
  readonly operations: readonly Operation[];
  readonly schemes: ReadonlyMap<string, SchemeKind>;
  /** What was left out. */
  readonly notes: readonly Note[];
}

/** Thrown for a description that cannot be read; the message is one sentence. */
export class DescriptionError extends Error {
  override readonly name = 'DescriptionError';
  readonly code = 'description_unreadable';
}

/** Longest description that is read. The descriptions of very large public APIs have about 12 MiB. */
export const DESCRIPTION_MAXIMUM_BYTES = 32 * 1024 * 1024;

const METHODS = ['get', 'put', 'post', 'delete', 'options', 'head', 'patch', 'trace'] as const;

type Json = Readonly<Record<string, unknown>>;

/**
 * Reads an OpenAPI 3.0 or 3.1 description. Schemas, bodies and answers are dropped before references are resolved: rows
 * need none of them. References to other files and to URLs are never followed.
 *
 * @param text - the description as JSON text.
 * @returns its operations and security schemes.
 * @throws DescriptionError when the text is no such description.
 */
export async function readDescription(text: string): Promise<Description> {
  const whole = objectOf(parse(text));
  if (whole === null) throw new DescriptionError('the description is not a JSON object');
  const version = whole.openapi;
  if (whole.swagger !== undefined)
    throw new DescriptionError('this is a description of Swagger 2.0: convert it to OpenAPI 3 first');
  if (typeof version !== 'string' || !/^3\.[01]\./.test(version))
    throw new DescriptionError('the description has no member "openapi" with 3.0.x or 3.1.x');
  if (objectOf(whole.paths) === null && version.startsWith('3.0'))
    throw new DescriptionError('the description has no object "paths"');
  const slim = await dereferenced(slimmed(whole));
  const notes: Note[] = [];
  const paths = Object.entries(objectOf(slim.paths) ?? {});
  const operations = paths.flatMap(([path, item]) => operationsOf(path, item, slim, notes));
  return { operations, schemes: schemesOf(slim), notes };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new DescriptionError('the description is malformed JSON');
  }
}

function objectOf(value: unknown): Json | null {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : null;
}

/** The members that rows are made of. */
function slimmed(whole: Json): Json {
  const components = objectOf(whole.components) ?? {};
  return {
    openapi: whole.openapi,
    servers: whole.servers,
    security: whole.security,
    components: {
      securitySchemes: components.securitySchemes,
      pathItems: mapped(components.pathItems, slimItem),
    },
    paths: mapped(whole.paths, slimItem),
  };
}

function mapped(value: unknown, change: (item: unknown) => unknown): Json {
  return Object.fromEntries(Object.entries(objectOf(value) ?? {}).map(([name, item]) => [name, change(item)]));
}

function slimItem(item: unknown): unknown {
  const whole = objectOf(item);
  if (whole === null) return item;
  const kept: Record<string, unknown> = {};
  for (const name of ['$ref', 'servers'] as const) if (whole[name] !== undefined) kept[name] = whole[name];
  for (const method of METHODS) {
    const operation = objectOf(whole[method]);
    if (operation === null) continue;
    const { $ref, operationId, security, servers, 'x-tgefd-budget': budget } = operation;
    kept[method] = { $ref, operationId, security, servers, 'x-tgefd-budget': budget };
  }
  return kept;
}

async function dereferenced(document: Json): Promise<Json> {
  const { dereference } = await import('@apidevtools/json-schema-ref-parser');
  try {
    const options = { resolve: { external: false }, dereference: { circular: false } } as const;
    return (await dereference(structuredClone(document) as object, options)) as Json;
  } catch (error) {
    if (error instanceof RangeError) throw new DescriptionError('the description is nested too deeply');
    const circular = error instanceof Error && /circular/i.test(error.message);
    throw new DescriptionError(
      circular
        ? 'the description has path items that refer to each other in a circle'
        : 'the description has a reference that points to nothing, to a file or to a URL',
    );
  }
}

const elsewhere = 'is left out: it refers to another file or URL, which is not read. Bundle the description first';

function operationsOf(path: string, item: unknown, whole: Json, notes: Note[]): Operation[] {
  const found = objectOf(item);
  if (found === null || !path.startsWith('/')) {
    notes.push({ at: path, text: 'is no path item' });
    return [];
  }
  if (found.$ref !== undefined) {
    notes.push({ at: path, text: elsewhere });
    return [];
  }
  return METHODS.flatMap((method) => {
    const operation = objectOf(found[method]);
    if (operation === null) return [];
    if (operation.$ref !== undefined) {
      notes.push({ at: `${method.toUpperCase()} ${path}`, text: elsewhere });
      return [];
    }
    const servers = operation.servers ?? found.servers ?? whole.servers;
    return [
      {
        method: method.toUpperCase(),
        path,
        operationId: typeof operation.operationId === 'string' ? operation.operationId : null,
        security: requirementsOf(operation.security ?? whole.security),
        basePaths: basePathsOf(servers),
        budget: typeof operation['x-tgefd-budget'] === 'string' ? operation['x-tgefd-budget'] : null,
      },
    ];
  });
}

function requirementsOf(value: unknown): readonly Requirement[] | null {
  if (!Array.isArray(value)) return null;
  return value.map((requirement) =>
    Object.fromEntries(
      Object.entries(objectOf(requirement) ?? {}).map(([scheme, scopes]) => [
        scheme,
        Array.isArray(scopes) ? scopes.filter((scope) => typeof scope === 'string') : [],
      ]),
    ),
  );
}

function basePathsOf(servers: unknown): readonly string[] {
  if (!Array.isArray(servers) || servers.length === 0) return [''];
  return [...new Set(servers.map((server) => basePathOf(objectOf(server) ?? {})))];
}

/** The path of a server's URL, its variables at their defaults. */
function basePathOf(server: Json): string {
  const variables = objectOf(server.variables) ?? {};
  const url = String(server.url ?? '').replace(/\{([^}]*)\}/g, (_, name: string) =>
    String(objectOf(variables[name])?.default ?? ''),
  );
  const parsed = URL.canParse(url, 'https://relative.invalid') ? new URL(url, 'https://relative.invalid') : null;
  return (parsed?.pathname ?? '').replace(/\/+$/, '');
}

function schemesOf(whole: Json): ReadonlyMap<string, SchemeKind> {
  const schemes = Object.entries(objectOf(objectOf(whole.components)?.securitySchemes) ?? {});
  return new Map(schemes.map(([name, scheme]) => [name, kindOf(objectOf(scheme) ?? {})]));
}

function kindOf({ type, scheme }: Json): SchemeKind {
  if (type === 'oauth2' || type === 'openIdConnect') return 'token';
  if (type === 'http' && typeof scheme === 'string' && /^(bearer|dpop)$/i.test(scheme)) return 'token';
  if (type === 'http' && typeof scheme === 'string' && /^basic$/i.test(scheme)) return 'HTTP basic';
  if (type === 'apiKey') return 'API key';
  return type === 'mutualTLS' ? 'certificate' : 'unsupported';
}
