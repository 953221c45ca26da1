import { parseArgs } from 'node:util';
import { unstable_readConfig } from 'wrangler';

/** Prints the variables of a wrangler file as lines for `node --env-file`, so that check-config reads what will be deployed. */
const { values } = parseArgs({
  options: { config: { type: 'string', default: 'wrangler.toml' }, env: { type: 'string' } },
});
const { vars } = unstable_readConfig({ config: values.config, env: values.env }, { hideWarnings: true });
for (const [name, value] of Object.entries(vars)) {
  if (typeof value !== 'string' || value.includes("'")) throw new Error(`${name}: a text without a single quote`);
  console.log(`${name}='${value}'`);
}
