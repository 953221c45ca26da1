import { dependsOnPath } from '../../authorize/row-conditions.ts';
import type { Endpoint } from '../../decision/request.ts';
import { beats, excessOf, globOf, globOfShape, iamPattern, shapeOf, TAIL, touches, WILDCARD } from './patterns.ts';

export interface PolicyStatement {
  readonly Effect: 'Allow' | 'Deny';
  readonly Action: 'execute-api:Invoke';
  readonly Resource: readonly string[];
}

export interface PolicyDocument {
  readonly Version: '2012-10-17';
  readonly Statement: readonly PolicyStatement[];
}

/** API Gateway refuses a longer resource. */
const MAXIMUM_RESOURCE_CHARACTERS = 512;
/** API Gateway refuses a larger answer of an authorizer (8 KB), its `context` included. */
export const MAXIMUM_ANSWER_BYTES = 8192;

/** APIs and stages that share a function times combinations of permissions that occur; more are made again. */
const MAXIMUM_KEPT_POLICIES = 256;

/** The endpoint table cannot be written as a policy that API Gateway takes. The message is for the operator. */
export class PolicyTooLarge extends Error {
  override readonly name = 'PolicyTooLarge';
}

export interface Policies {
  /**
   * The policy of one caller for a whole API and stage, from the whole table: right for every route, and so right
   * however long API Gateway keeps it. `prefix` is an ARN's part before the method; `permitted` says which rows the
   * caller may use. Throws {@link PolicyTooLarge}.
   */
  of(prefix: string, permitted: (row: Endpoint) => boolean): PolicyDocument;
  /**
   * Pairs of rows that one policy cannot tell apart, in plain words. Where there are any, "of" may deny what the table
   * permits: such a table needs {@link allowOnly}, and no caching.
   */
  readonly indistinct: readonly string[];
  /** Rows that demand something of the path itself, or of a message: no answer for one request holds for another. */
  readonly byPath: readonly string[];
}

/** A row for one method as a policy sees it. `shape` is that of its pattern. */
interface Place {
  readonly shape: string;
  readonly row: Endpoint;
}

/** First segments that no `{name}` of the table matches, and paths that are never decided upon. */
const NEVER = ['_authorizer', `_authorizer/${WILDCARD}`, 'healthz', 'readyz'];

/**
 * Prepares policies for an endpoint table. Own endpoints are never in one: an allowed request of API Gateway goes to the upstream.
 * Where an IAM wildcard would cover more than the row it stands for, the rest is denied expressly; rows for which that would
 * deny a permitted one too are listed in `indistinct`.
 */
export function createPolicies(rows: readonly Endpoint[]): Policies {
  const offered = rows.filter((row) => !row.own);
  const methods = Map.groupBy(offered.flatMap(methodsOf), ({ method }) => method);
  const table = new Map<string, readonly Place[]>(
    [...methods].map(([method, found]) => [method, found.map(({ row }) => ({ shape: shapeOf(row.pattern), row }))]),
  );
  const byPath = offered
    .filter((row) => row.mcp !== undefined || dependsOnPath(row))
    .map(({ method, pattern }) => `${method} ${pattern}`);
  const made = new Map<string, PolicyDocument>();
  return {
    of(prefix, permitted) {
      // Callers differ in what they may use far less than in who they are.
      let key = prefix;
      for (const row of offered) key += permitted(row) ? '1' : '0';
      const known = made.get(key);
      if (known !== undefined) return known;
      const document = documentOf(prefix, table, permitted);
      if (made.size >= MAXIMUM_KEPT_POLICIES) made.clear();
      made.set(key, document);
      return document;
    },
    indistinct: [
      ...[...new Set(byPath)].map((row) => `${row} and itself: it demands something of the path or the message`),
      ...[...table].flatMap(([method, places]) => indistinctPairs(method, places)),
    ],
    byPath,
  };
}

/** Everything denied: the answer to a caller who may use nothing now. */
export function denyEverything(prefix: string): PolicyDocument {
  return documentWith([statement('Deny', [`${prefix}*`])]);
}

/** One request allowed and nothing else, by its own ARN: for tables that no policy can express. Throws {@link PolicyTooLarge}. */
export function allowOnly(prefix: string, method: string, path: string): PolicyDocument {
  return documentWith([statement('Allow', [checked(`${prefix}${method}/${iamPattern(path)}`, path)])]);
}

/** Whether a policy of ours lets a request through, as API Gateway judges it: by its ARN, an express denial first. */
export function grants(document: PolicyDocument, arn: string): boolean {
  const effects = document.Statement.filter(({ Resource }) => Resource.some((one) => touches(globOf(one), arn)));
  return effects.length > 0 && effects.every(({ Effect }) => Effect === 'Allow');
}

function methodsOf(row: Endpoint): { readonly method: string; readonly row: Endpoint }[] {
  const methods = row.method === 'GET' ? ['GET', 'HEAD'] : [row.method];
  return methods.map((method) => ({ method, row }));
}

function documentOf(
  prefix: string,
  table: ReadonlyMap<string, readonly Place[]>,
  permitted: (row: Endpoint) => boolean,
): PolicyDocument {
  const allow: string[] = [];
  const deny: string[] = [];
  for (const [method, places] of table) {
    const granted = places.filter(({ row }) => permitted(row)).map(({ shape }) => shape);
    const refused = places.map(({ shape }) => shape).filter((shape) => !granted.includes(shape));
    const resource = (glob: string) => checked(`${prefix}${method}/${iamPattern(glob)}`, glob);
    allow.push(...granted.map(globOfShape).map(resource));
    deny.push(...denialsOf(granted, refused).map(resource));
  }
  if (allow.length === 0) return denyEverything(prefix);
  const document = documentWith([
    statement('Allow', allow),
    ...(deny.length > 0 ? [statement('Deny', [...new Set(deny)])] : []),
  ]);
  const bytes = JSON.stringify(document).length;
  if (bytes > MAXIMUM_ANSWER_BYTES) {
    throw new PolicyTooLarge(
      `the endpoint table needs a policy of ${bytes} bytes and API Gateway takes ${MAXIMUM_ANSWER_BYTES}: ` +
        'use fewer or shorter rows, or simple responses of an HTTP API',
    );
  }
  return document;
}

/** Globs to deny so that the wildcards of `granted` cover no more than the table grants. */
function denialsOf(granted: readonly string[], refused: readonly string[]): string[] {
  const wild = granted.filter(isWild);
  if (wild.length === 0) return [];
  const covered = refused.filter((shape) => wild.some((one) => touches(globOfShape(one), shape))).map(globOfShape);
  const denials = [...covered, ...wild.flatMap(excessOf)];
  return wild.some((shape) => shape.startsWith(WILDCARD) || shape.startsWith(TAIL)) ? [...denials, ...NEVER] : denials;
}

function indistinctPairs(method: string, places: readonly Place[]): string[] {
  const wild = places.filter(({ shape }) => isWild(shape));
  return wild.flatMap((place) =>
    places
      .filter((other) => {
        if (other === place) return false;
        const excess = excessOf(place.shape).some((glob) => touches(glob, other.shape));
        const denied =
          canDiffer(place, other) && touches(globOfShape(place.shape), other.shape) && !beats(place.shape, other.shape);
        return excess || denied;
      })
      .map((other) => `${method} ${patternOf(place)} and ${method} ${patternOf(other)}`),
  );
}

/** Whether a caller may have to be refused `place` while `other` is permitted. */
function canDiffer(place: Place, other: Place): boolean {
  return demandsOf(place.row) !== demandsOf(other.row);
}

function demandsOf({ scope, budget, auth, issuers, claims, stepUp }: Endpoint): string {
  return JSON.stringify([scope, budget, auth, issuers, claims, stepUp]);
}

function isWild(shape: string): boolean {
  return shape.includes(WILDCARD) || shape.includes(TAIL);
}

function patternOf({ shape }: Place): string {
  return `/${shape.replaceAll(WILDCARD, '{…}').replaceAll(TAIL, '{…...}')}`;
}

function statement(effect: 'Allow' | 'Deny', resources: readonly string[]): PolicyStatement {
  return { Effect: effect, Action: 'execute-api:Invoke', Resource: resources };
}

function documentWith(statements: readonly PolicyStatement[]): PolicyDocument {
  return { Version: '2012-10-17', Statement: statements };
}

function checked(resource: string, glob: string): string {
  if (resource.length <= MAXIMUM_RESOURCE_CHARACTERS) return resource;
  throw new PolicyTooLarge(
    `a policy resource of ${resource.length} characters for /${iamPattern(glob)}: API Gateway takes ${MAXIMUM_RESOURCE_CHARACTERS}`,
  );
}
