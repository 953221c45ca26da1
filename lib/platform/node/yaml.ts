/**
 * Reads YAML 1.2 (core schema) and gives the same document as JSON text. The library is loaded when the first YAML file is
 * read. Refused are what JSON cannot say and what hides something: member names given twice, aliases and anchors, merge keys,
 * tags, several documents, member names that are neither text nor a whole number.
 *
 * @throws Error with the place of the fault, and nothing of the content.
 */
export async function yamlToJson(text: string): Promise<string> {
  const { isAlias, isMap, isScalar, parseAllDocuments, visit } = await import('yaml');
  const documents = parseAllDocuments(text, { version: '1.2', schema: 'core', uniqueKeys: true, merge: false });
  const [document] = documents;
  if (document === undefined || documents.length !== 1) throw new Error('not exactly one YAML document');
  const fault = [...document.errors, ...document.warnings][0];
  if (fault) {
    const line = fault.linePos?.[0].line;
    throw new Error(`malformed YAML${line === undefined ? '' : ` in line ${line}`} (${fault.code})`);
  }
  visit(document, {
    Node(_, node) {
      if (isAlias(node) || node.anchor) throw new Error('YAML with anchors or aliases');
      if (node.tag !== undefined && !node.tag.startsWith('tag:yaml.org,2002:')) throw new Error('YAML with tags');
      if (isScalar(node) && typeof node.value === 'number' && !Number.isFinite(node.value))
        throw new Error('YAML with a number that JSON does not have');
      if (isMap(node)) checkNames(node.items.map(({ key }) => (isScalar(key) ? nameOf(key) : null)));
    },
  });
  return JSON.stringify(document.toJS({ maxAliasCount: 0 }) ?? null);
}

/** A member name as JSON has it. A whole number such as a status code is its digits; null: no name. */
function nameOf({ value, source }: { readonly value: unknown; readonly source?: string }): string | null {
  if (typeof value === 'string') return value;
  return typeof value === 'number' && source !== undefined && source === String(value) && /^\d+$/.test(source)
    ? source
    : null;
}

function checkNames(names: readonly (string | null)[]): void {
  if (names.includes(null)) throw new Error('YAML with a member name that is no text: put it in quotes');
  if (new Set(names).size < names.length) throw new Error('YAML with a member name twice, as a number and as a text');
}
