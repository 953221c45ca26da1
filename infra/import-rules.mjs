/**
 * The import order of lib/, checked by dependency-cruiser in `npm run check`. A room may import the rooms of the floors
 * below its own, and its own; never a room beside it or above it.
 */

/** Floors from the ground up. */
const FLOORS = [
  ['codec', 'decision'],
  ['request', 'authenticate', 'authorize', 'respond', 'observe', 'limit', 'storage', 'secrets', 'presets', 'upstream'],
  ['config'],
  ['egress', 'redis'],
  ['revoke'],
  ['admit', 'audit', 'events'],
  ['archive'],
  ['verify', 'platform', 'http'],
  ['compose'],
  ['adapter'],
  ['policy'],
  ['console'],
  ['cli'],
];

const inRooms = (rooms) => `^lib/(${rooms.join('|')})/`;

/** One rule for each floor: what stands above or beside a room is not for it. */
const floorRules = FLOORS.flatMap((floor, index) => {
  const above = FLOORS.slice(index + 1).flat();
  return floor.map((room) => ({
    name: `${room}-imports-downwards`,
    severity: 'error',
    from: { path: `^lib/${room}/` },
    to: { path: inRooms([...above, ...floor.filter((other) => other !== room)]) },
  }));
});

/** Packages that belong to certain files; every other package is for no file of lib/ or functions/. */
const PACKAGES = [
  { name: 'hono', files: '^lib/(http|adapter/hono|console)/' },
  { name: '@hono/node-server', files: '^lib/adapter/node/' },
  { name: 'jose', files: '^lib/(archive|respond|cli|policy|upstream)/' },
  { name: 'zod', files: '^lib/' },
  { name: '@aws-sdk/client-s3', files: '^lib/storage/' },
  { name: '@upstash/redis', files: '^lib/redis/' },
  { name: '@upstash/ratelimit', files: '^lib/redis/' },
  { name: 'yaml', files: '^lib/(platform/node|policy|cli)/' },
  { name: '@apidevtools/json-schema-ref-parser', files: '^lib/policy/openapi/' },
  { name: 'ioredis', files: '^lib/platform/node/' },
];

const packageRules = PACKAGES.map(({ name, files }) => ({
  name: `${name.replaceAll(/[@/]/g, '-')}-in-its-place`,
  severity: 'error',
  from: { path: '^(lib|functions)/', pathNot: files },
  to: { path: `node_modules/${name}/` },
}));

export default {
  forbidden: [
    { name: 'no-circles', severity: 'error', from: {}, to: { circular: true } },
    ...floorRules,
    ...packageRules,
    {
      name: 'only-known-packages',
      severity: 'error',
      from: { path: '^(lib|functions)/' },
      to: {
        dependencyTypes: ['npm', 'npm-dev', 'npm-optional', 'npm-peer', 'npm-no-pkg', 'npm-unknown'],
        pathNot: `node_modules/(${[...PACKAGES.map(({ name }) => name), '@cloudflare/workers-types'].join('|')})/`,
      },
    },
    {
      name: 'node-modules-of-node-in-their-place',
      severity: 'error',
      from: {
        path: '^lib/',
        pathNot: '^lib/(platform/(node|lambda|cli)|adapter|cli)/',
      },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'lib-stands-alone',
      severity: 'error',
      from: { path: '^lib/' },
      to: { path: '^(functions|infra|test)/' },
    },
    { name: 'product-needs-no-test', severity: 'error', from: { path: '^(functions|infra)/' }, to: { path: '^test/' } },
    {
      name: 'infra-reads-tables-only',
      severity: 'error',
      from: { path: '^infra/(?!aws/)' },
      to: {
        path: '^lib/',
        pathNot:
          '^lib/(config/|presets/|platform/node/(documents|yaml)\\.ts$|storage/(lifecycle|r2-bucket)\\.ts$|adapter/lambda/policy\\.ts$)',
      },
    },
    // The CDK is installed in infra/aws alone, and only where it is tested.
    {
      name: 'every-import-is-found',
      severity: 'error',
      from: { pathNot: '^infra/aws/' },
      to: { couldNotResolve: true },
    },
  ],
  options: {
    parser: 'swc',
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^infra/aws/(node_modules|dist|test|cdk.out)/|cloudflare:|^test/' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['types', 'import', 'node', 'default'] },
  },
};
