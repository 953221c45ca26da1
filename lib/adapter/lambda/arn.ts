import { sameAgain } from '../../codec/once.ts';

/** An `execute-api` ARN, taken apart: what API Gateway compares with the resources of a policy. */
export interface MethodArn {
  /** `arn:…:execute-api:region:account:api/stage/`, the part that every resource of this API and stage begins with. */
  readonly prefix: string;
  readonly stage: string;
  readonly method: string;
  /** What follows the method, without a leading slash: the path of the request, or the template of an HTTP API's route. */
  readonly path: string;
}

/** API Gateway itself refuses a longer one with 414. */
const MAXIMUM_ARN_BYTES = 1600;
const PREFIX =
  /^arn:aws[a-z-]{0,20}:execute-api:[a-z0-9-]{1,32}:\d{12}:[A-Za-z0-9]{1,64}\/(\$default|[A-Za-z0-9_-]{1,128})\/$/;
const ROUTE = /^(\$default|[A-Za-z]{1,32}|\*)(?:\/(.*))?$/s;

/** The stage that a prefix names, or null. A function has few prefixes, mostly one. */
const stageOf = sameAgain((prefix) => PREFIX.exec(prefix)?.[1] ?? null);

/** Takes a `methodArn` or `routeArn` apart, or gives null for anything else. Does not check the path in it. */
export function parseMethodArn(arn: string): MethodArn | null {
  if (arn.length > MAXIMUM_ARN_BYTES) return null;
  const prefix = arn.slice(0, arn.indexOf('/', arn.indexOf('/') + 1) + 1);
  const stage = stageOf(prefix);
  const [, method, path = ''] = ROUTE.exec(arn.slice(prefix.length)) ?? [];
  return stage === null || method === undefined ? null : { prefix, stage, method, path };
}

/** Whether an ARN names the method of a request: exactly, or by a route that stands for every method. */
export function namesMethod(arn: MethodArn, method: string): boolean {
  return arn.method === method || arn.method === 'ANY' || arn.method === '$default';
}
