import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { recordJsonSchema } from '../../../lib/audit/schema.ts';

test('the published JSON Schema is the one in force (else: tgefd-authorizer audit schema --write docs)', () => {
  const published: unknown = JSON.parse(readFileSync('docs/audit_record.schema.json', 'utf8'));
  expect(published).toEqual(recordJsonSchema());
});
