import { posix } from 'node:path';
import { parseAst } from 'vitest/node';

/** A node of the syntax tree, as far as the rules look at it. */
type Node = { readonly type: string } & Readonly<Record<string, unknown>>;

interface Import {
  readonly specifier: string;
  readonly typeOnly: boolean;
}

/** Which files may import a package; what is not listed is for nobody in lib. */
const PACKAGES: readonly { readonly name: RegExp; readonly files: RegExp }[] = [
  { name: /^zod\/mini$/, files: /^(lib|functions)\// },
  { name: /^jose$/, files: /^(lib\/authenticate\/|lib\/audit\/manifest|lib\/respond\/assertion|functions\/cli)/ },
  { name: /^@upstash\//, files: /^(lib\/admit\/|lib\/audit\/([a-z]+-)?outbox)/ },
  { name: /^@aws-sdk\//, files: /^lib\/audit\/s3/ },
  { name: /^(hono(\/|$)|@hono\/)/, files: /^functions\// },
  { name: /^node:/, files: /^functions\// },
];

/** What infra may read of the product: the configuration table, the tiers, and what a policy of API Gateway can express. */
const READ_BY_INFRA = /^(lib\/(config\/|audit\/tiers\.ts$)|functions\/lambda\/policy\.ts$)/;
/** Files of lib that every room may import, and one that respond may. */
const VOCABULARY = new Set(['lib/decision/vocabulary.ts', 'lib/egress/guard.ts']);
const RATE_LIMIT_FIELDS = 'lib/limit/rate-limit-fields.ts';
/** The one file of the configuration that reads documents by the parsers of the rooms that own their forms. */
const DOCUMENT_READER = 'lib/config/documents.ts';

/** Globals that lib must be handed instead: clock, chance, log, environment, network and the runtime itself. */
const FORBIDDEN_GLOBALS = new Set(
  'process console Buffer fetch caches navigator performance setInterval setImmediate require __dirname Deno Bun'.split(
    ' ',
  ),
);
const FORBIDDEN_MEMBERS = new Set(['Date.now', 'Math.random', 'crypto.randomUUID']);
const DEFAULT_EXPORT_FILES = /^functions\/worker[a-z-]*\.ts$/;

/**
 * What is wrong with where a source file reaches: imports across rooms, packages out of place, globals that must be
 * handed in, default exports, barrels. `path` is relative to the repository, with `/`. Empty: nothing.
 * Judges by syntax alone: a global that hides behind an alias is not found.
 */
export function dependencyFaults(path: string, source: string): string[] {
  const program = parseAst(source, { lang: 'ts' }) as unknown as Node;
  const nodes = [...walk(program)];
  return [
    ...importsOf(nodes).flatMap((one) => importFault(path, one) ?? []),
    ...exportFaults(path, program),
    ...(path.startsWith('lib/') ? globalFaults(nodes) : []),
  ];
}

function importFault(path: string, { specifier, typeOnly }: Import): string | null {
  const [area = '', room = ''] = path.split('/');
  if (!specifier.startsWith('.')) {
    if (area === 'infra') return null;
    const rule = PACKAGES.find(({ name }) => name.test(specifier));
    const allowed = rule === undefined ? area !== 'lib' : rule.files.test(path);
    return allowed ? null : `${specifier} is not for ${path}`;
  }
  const target = posix.join(posix.dirname(path), specifier);
  const [targetArea = '', targetRoom = ''] = target.split('/');
  if (targetArea === 'test') return `${area} imports test`;
  if (area === 'infra') return targetArea === 'infra' || READ_BY_INFRA.test(target) ? null : `infra imports ${target}`;
  if (area === 'functions') return targetArea === 'infra' ? 'functions imports infra' : null;
  if (targetArea !== 'lib') return `lib imports ${targetArea}`;
  if (VOCABULARY.has(target) || path === 'lib/decision/pipeline.ts' || path === DOCUMENT_READER) return null;
  if (room.endsWith('.ts')) return 'only lib/decision/pipeline.ts imports rooms';
  if (targetRoom === room || (targetRoom === 'config' && typeOnly)) return null;
  if (room === 'respond' && target === RATE_LIMIT_FIELDS) return null;
  return `room ${room} imports room ${targetRoom}`;
}

function importsOf(nodes: readonly Node[]): Import[] {
  return nodes.flatMap((node): Import[] => {
    switch (node.type) {
      case 'ImportDeclaration':
      case 'ExportNamedDeclaration':
      case 'ExportAllDeclaration':
      case 'ImportExpression':
      case 'TSImportType': {
        const specifier = isNode(node.source) ? node.source.value : undefined;
        const typeOnly = node.importKind === 'type' || node.exportKind === 'type' || node.type === 'TSImportType';
        return typeof specifier === 'string' ? [{ specifier, typeOnly }] : [];
      }
      default:
        return [];
    }
  });
}

function exportFaults(path: string, program: Node): string[] {
  const statements = children(program.body);
  const isReexport = (node: Node) =>
    node.type === 'ExportAllDeclaration' || (node.type === 'ExportNamedDeclaration' && isNode(node.source));
  const barrel =
    path.endsWith('/index.ts') ||
    statements.some((node) => node.type === 'ExportAllDeclaration') ||
    (statements.length > 0 && statements.every(isReexport));
  const byDefault = statements.some(
    (node) =>
      node.type === 'ExportDefaultDeclaration' ||
      children(node.specifiers).some((one) => isNode(one.exported) && one.exported.name === 'default'),
  );
  return [
    ...(barrel ? [`${path} is a barrel`] : []),
    ...(byDefault && !DEFAULT_EXPORT_FILES.test(path) ? [`${path} has a default export`] : []),
  ];
}

function globalFaults(nodes: readonly Node[]): string[] {
  const declared = new Set(nodes.flatMap(declaredNames));
  const names = new Set<string>();
  for (const node of nodes) {
    if (node.type === 'NewExpression' && nameOf(node.callee) === 'Date' && children(node.arguments).length === 0)
      names.add('new Date()');
    if (node.type === 'MemberExpression') {
      const member = `${nameOf(node.object)}.${nameOf(node.property)}`;
      if (FORBIDDEN_MEMBERS.has(member)) names.add(member);
    }
    for (const used of usedNames(node)) if (FORBIDDEN_GLOBALS.has(used) && !declared.has(used)) names.add(used);
  }
  return [...names].map((name) => `${name} must be handed in`);
}

/** Names that a node binds: variables, parameters, functions, imports. */
function declaredNames(node: Node): string[] {
  switch (node.type) {
    case 'VariableDeclarator':
    case 'FunctionDeclaration':
      return [...boundNames(node.id), ...children(node.params).flatMap(boundNames)];
    case 'FunctionExpression':
    case 'ArrowFunctionExpression':
      return children(node.params).flatMap(boundNames);
    case 'ImportSpecifier':
      return boundNames(node.local);
    default:
      return [];
  }
}

function boundNames(pattern: unknown): string[] {
  if (!isNode(pattern)) return [];
  switch (pattern.type) {
    case 'Identifier':
      return [String(pattern.name)];
    case 'ObjectPattern':
      return children(pattern.properties).flatMap((property) => boundNames(property.value ?? property.argument));
    case 'ArrayPattern':
      return children(pattern.elements).flatMap(boundNames);
    case 'AssignmentPattern':
      return boundNames(pattern.left);
    case 'RestElement':
      return boundNames(pattern.argument);
    default:
      return [];
  }
}

/** Names that a node reads as values: its identifiers, save property names and types. */
function usedNames(node: Node): string[] {
  if (node.type.startsWith('TS') && !('expression' in node)) return [];
  return Object.entries(node).flatMap(([key, value]) => {
    if (key === 'property' && node.computed !== true) return [];
    if (key === 'key' && node.computed !== true) return [];
    if (key === 'label' || key === 'imported' || key === 'exported' || key === 'typeAnnotation') return [];
    const parts: readonly unknown[] = Array.isArray(value) ? value : [value];
    return parts.flatMap((part) => (isNode(part) && part.type === 'Identifier' ? [String(part.name)] : []));
  });
}

/** The last name of `a.b.c` or `a`, else an empty string. */
function nameOf(node: unknown): string {
  if (!isNode(node)) return '';
  if (node.type === 'MemberExpression') return nameOf(node.property);
  return node.type === 'Identifier' ? String(node.name) : String(node.value ?? '');
}

function* walk(node: Node): Generator<Node> {
  yield node;
  for (const value of Object.values(node)) {
    for (const part of Array.isArray(value) ? value : [value]) if (isNode(part)) yield* walk(part);
  }
}

function children(value: unknown): Node[] {
  return Array.isArray(value) ? value.filter(isNode) : [];
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string';
}
