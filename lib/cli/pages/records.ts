import { recordJsonSchema } from '../../audit/schema.ts';
import { generatedFrom, markdownTable } from './table.ts';

interface Schema {
  readonly type?: string;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly format?: string;
  readonly description?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly anyOf?: readonly Schema[];
}

const titles: Readonly<Record<string, readonly [string, string]>> = {
  audit: ['A decision', 'Each decision makes exactly one.'],
  secret_access: [
    'A reading of a secret',
    'The first reading of a secret, each reading with a new value, and each failure.',
  ],
  budget_change: ['A change of budgets', 'What an operator did with `limits reset` and `limits grant`.'],
  audit_unreadable: ['An unreadable entry', 'It replaces, in a batch, an entry of the outbox that is not a record.'],
};

function typeText({ type, const: constant, enum: values, format, anyOf, items, properties }: Schema): string {
  if (constant !== undefined) return `\`${constant}\``;
  if (values) return values.map((value) => `\`${value}\``).join(', ');
  if (anyOf) return anyOf.map(typeText).join(' or ');
  if (items) return `list of ${typeText(items)}`;
  if (properties)
    return `object (${Object.entries(properties)
      .map(([name, one]) => `\`${name}\`: ${typeText(one)}`)
      .join('; ')})`;
  return format ?? type ?? '';
}

function section(schema: Schema): string[] {
  const name = `${schema.properties?.type?.const}`;
  const [title, when] = titles[name] ?? [name, ''];
  const rows = Object.entries(schema.properties ?? {}).map(([member, one]) => [
    `\`${member}\`${schema.required?.includes(member) ? '' : ' (optional)'}`,
    typeText(one),
    one.description ?? '',
  ]);
  return ['', `## ${title}`, '', when, '', ...markdownTable(['member', 'type', 'meaning'], rows)];
}

/** `docs/reference/records.md`: every member of every record, from the schema that writes them. */
export function recordsPage(): string {
  const { anyOf = [] } = recordJsonSchema() as Schema;
  return `${[
    '# Records',
    '',
    generatedFrom('lib/audit/schema.ts'),
    '',
    'A record is one line of JSON. It never holds a token, a key, a certificate, a body, a query or an identity. Callers and',
    'addresses appear as [pseudonyms](../explanation/audit-proof.md#pseudonyms). `stream_id` and `n` are added in the',
    '[archive](audit-archive.md). Tools read the [JSON Schema](../audit_record.schema.json).',
    ...anyOf.flatMap(section),
  ].join('\n')}\n`;
}
