import * as z from 'zod/mini';
import { policyShape } from '../../authenticate/certificate/certificate-rule.ts';
import { overrideShape } from '../../limit/plans/overrides.ts';
import { planShape } from '../../limit/plans/plans.ts';
import { rowShape } from '../../request/endpoints/row-schema.ts';
import { MAX_ROWS } from '../../request/endpoints/rows.ts';
import { forwardClaimsShape } from '../../respond/forwarded-claims.ts';
import { eventIssuerShape } from '../events/shape.ts';
import { members as issuerMembers } from '../issuers/members.ts';
import { policyMembers } from './policy-document.ts';

type Schema = Readonly<Record<string, unknown>>;

/** What editors are told of each member; a member that is not listed takes anything. */
const shapes: Readonly<Record<string, () => Schema>> = {
  preset: () => ({ enum: ['tgefd', 'none'] }),
  endpoints: rows,
  shadow_endpoints: rows,
  issuers: () => ({ type: 'array', minItems: 1, items: issuer() }),
  mtls: () => schemaOf(policyShape(null)),
  overrides: () => ({ type: 'array', items: schemaOf(overrideShape) }),
  event_issuers: () => ({ type: 'array', minItems: 1, maxItems: 50, items: schemaOf(eventIssuerShape()) }),
  plans: () => ({ type: 'object', additionalProperties: schemaOf(planShape) }),
  forward_claims: () => schemaOf(forwardClaimsShape),
  role_scopes: () => ({
    type: 'object',
    additionalProperties: { oneOf: [{ type: 'string' }, { type: 'array', items: { type: 'string' } }] },
  }),
};

function rows(): Schema {
  return { type: 'array', maxItems: MAX_ROWS, items: schemaOf(rowShape()) };
}

function issuer(): Schema {
  const properties = Object.entries(issuerMembers).map(([name, { accepts, schema }]) => [
    name,
    { ...schemaOf(schema), description: accepts },
  ]);
  return {
    type: 'object',
    properties: Object.fromEntries(properties),
    required: ['issuer'],
    additionalProperties: false,
  };
}

function schemaOf(shape: z.ZodMiniType): Schema {
  const { $schema: _, ...schema } = z.toJSONSchema(shape, { io: 'input', unrepresentable: 'any' });
  return schema;
}

/**
 * The JSON Schema (draft 2020-12) of the policy document, for editors. It says which members there are and what their
 * values look like; what members demand of each other only `check-config` tells.
 */
export function policySchemaPage(): string {
  const properties = [...policyMembers].map(([member, { meaning }]) => [
    member,
    { description: meaning, ...(shapes[member]?.() ?? {}) },
  ]);
  const schema = {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'Policy document of the edge authorizer (TGEFD_POLICY, TGEFD_POLICY_FILE)',
    type: 'object',
    properties: { $schema: { type: 'string' }, ...Object.fromEntries(properties) },
    additionalProperties: false,
  };
  return `${JSON.stringify(schema, null, 2)}\n`;
}
