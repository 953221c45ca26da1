import * as z from 'zod/mini';

/** What API Gateway makes of an authorizer's policy for one request. */
export type Verdict = 'allow' | 'explicit_deny' | 'implicit_deny';

const MAXIMUM_RESOURCE_CHARACTERS = 512;
const oneOrMany = z.pipe(
  z.union([z.string(), z.array(z.string()).check(z.minLength(1))]),
  z.transform((value) => (typeof value === 'string' ? [value] : value)),
);
const policy = z.strictObject({
  Version: z.literal('2012-10-17'),
  Statement: z
    .array(
      z.strictObject({
        Effect: z.enum(['Allow', 'Deny']),
        Action: oneOrMany,
        Resource: z.pipe(
          oneOrMany,
          z.transform((resources, context) => {
            for (const resource of resources) {
              if (resource.length > MAXIMUM_RESOURCE_CHARACTERS) {
                context.issues.push({ code: 'custom', input: resource, message: 'resource over 512 characters' });
              }
            }
            return resources;
          }),
        ),
      }),
    )
    .check(z.minLength(1)),
});

/**
 * Reads a policy, and judges `execute-api:Invoke` on resources by it as IAM does: an explicit Deny beats every Allow, what
 * nothing allows is denied. Throws on a document that API Gateway would not take. Knows no conditions, no NotResource and no
 * policy variables but `${*}`, `${?}` and `${$}`.
 */
export function readPolicy(document: unknown): (resource: string) => Verdict {
  const statements = policy.parse(document).Statement.map(({ Effect, Action, Resource }) => ({
    effect: Effect,
    applies: Action.map(iamExpression).some((action) => action.test('execute-api:Invoke')),
    resources: Resource.map(iamExpression),
  }));
  return (resource) => {
    const matching = statements.filter(
      ({ applies, resources }) => applies && resources.some((expression) => expression.test(resource)),
    );
    if (matching.some(({ effect }) => effect === 'Deny')) return 'explicit_deny';
    return matching.length > 0 ? 'allow' : 'implicit_deny';
  };
}

/** `*` is anything, `/` included, and nothing; `?` is one character; the rest is itself, letter case included. */
function iamExpression(pattern: string): RegExp {
  const source = pattern.replace(/\$\{([*?$])\}|([\s\S])/g, (_, escaped: string | undefined, character: string) => {
    if (escaped === undefined && character === '*') return '[\\s\\S]*';
    if (escaped === undefined && character === '?') return '[\\s\\S]';
    return (escaped ?? character).replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&');
  });
  return new RegExp(`^${source}$`);
}
