import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { policyMembers } from '../../../lib/config/policy/policy-document.ts';
import { policySchemaPage } from '../../../lib/config/policy/policy-schema.ts';

const schema = JSON.parse(policySchemaPage());

describe('the published schema of the policy document', () => {
  it('is the one in docs/reference', () => {
    const path = join(import.meta.dirname, '../../../docs/reference/policy.schema.json');
    expect(readFileSync(path, 'utf8')).toBe(policySchemaPage());
  });

  it('knows every member of the document, and no other', () => {
    expect(Object.keys(schema.properties).sort()).toEqual(['$schema', ...policyMembers.keys()].sort());
    expect(schema.additionalProperties).toBe(false);
  });

  it('tells an editor the members of rows, issuers and rules', () => {
    const rows = schema.properties.endpoints.items;
    for (const member of ['method', 'path', 'scope', 'budget', 'auth', 'issuers', 'claims'])
      expect(rows.properties).toHaveProperty(member);
    expect(rows.additionalProperties).toBe(false);
    expect(rows.required).toEqual(['method', 'path', 'scope', 'budget']);
    expect(schema.properties.issuers.items.properties).toHaveProperty('audience_claim');
    expect(schema.properties.mtls.items.properties).toHaveProperty('ou');
    expect(schema.properties.plans.additionalProperties.properties).toHaveProperty('heavy');
  });
});
