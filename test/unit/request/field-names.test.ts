import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import {
  ASSERTING_FAMILIES,
  ASSERTING_FIELDS,
  CONNECTION_FIELDS,
  ingressFields,
} from '../../../lib/request/field-names.ts';

const page = await readFile(new URL('../../../docs/explanation/trust-boundary.md', import.meta.url), 'utf8');
const [table = ''] = page.match(/## What never goes upstream[\s\S]*?## The path/) ?? [];
const [proof = ''] = page.match(/## The signed ingress proof[\s\S]*?## Worked/) ?? [];

it.each([...CONNECTION_FIELDS, ...ASSERTING_FIELDS, ...ASSERTING_FAMILIES.map((family) => `${family}*`)])(
  'the documentation says that %s is removed',
  (name) => {
    expect(table).toContain(`\`${name}\``);
  },
);

it('the documentation names every field that a proof covers', () => {
  for (const name of ingressFields([])) expect(proof).toContain(`\`${name}\``);
});

it('takes configured names in any case, each once, sorted', () => {
  const names = ingressFields(['X-Client-Id', 'client-cert', 'X-CLIENT-ID']);
  expect(names).toEqual([...new Set(names)].sort());
  expect(names).toContain('x-client-id');
  expect(names.filter((name) => name === 'client-cert')).toHaveLength(1);
});
