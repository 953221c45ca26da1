import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { providerNames } from '../../lib/authenticate/providers/provider.ts';
import { loadConfig } from '../../lib/config/load.ts';
import { providerTokens } from '../doors/providers/table.ts';

const GUIDES = join(import.meta.dirname, '../../docs/guides/providers');

const place = { platform: 'node', role: 'gateway', upstreamBinding: false, bucketBinding: false } as const;
const development = { TGEFD_ENV: 'development', TGEFD_UPSTREAM_URL: 'http://127.0.0.1:3000' };

/** The issuer of a configuration, without what tells a single issuer from one of several. */
function issuerUnder(env: Readonly<Record<string, string>>) {
  const loaded = loadConfig({ ...development, ...env }, place);
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems));
  const [issuer] = loaded.config.issuers;
  if (issuer === undefined) throw new Error('no issuer');
  const { identifiesByIssuer: _, setBy, roleScopes, spellings, audiences, ...same } = issuer;
  return {
    ...same,
    spelling: spellings[0],
    audience: audiences[0],
    roleScopes: [roleScopes, loaded.config.documents.roleScopes],
  };
}

/** The variables of a page, as a file of settings writes them. */
function variablesOf(page: string): Record<string, string> {
  const lines = [...page.matchAll(/^```ini\n([\s\S]*?)^```$/gm)].flatMap(([, text = '']) => text.trim().split('\n'));
  return Object.fromEntries(
    lines.map((line) =>
      line
        .split(/=(.*)/s)
        .slice(0, 2)
        .map((part) => part.replace(/^'(.*)'$/, '$1')),
    ),
  );
}

describe.each(providerNames.map((name) => [name]))('the guide of %s', (name) => {
  const page = readFileSync(join(GUIDES, `${name}.md`), 'utf8');
  const blocks = [...page.matchAll(/^```json\n([\s\S]*?)^```$/gm)].map(([, text = '']) => JSON.parse(text));

  it('shows the settings and the token that every door is tested with', () => {
    const { row, claims } = providerTokens[name];
    expect(blocks).toEqual([{ provider: name, ...row }, claims]);
  });

  it('names every variant that the tests decide', () => {
    for (const { name: variant, status } of providerTokens[name].cases)
      expect(page).toContain(`| ${variant} | ${status === 200 ? 'allowed' : status} |`);
  });

  it('gives variables that mean the same as its row', () => {
    const keys = name === 'spiffe' ? { keys: 'https://spire.example/keys' } : {};
    const row = { provider: name, ...providerTokens[name].row, ...keys };
    const byRow = issuerUnder({ TGEFD_AUTH_MODE: 'jwt', TGEFD_ISSUERS: JSON.stringify([row]) });
    const { roleScopes, ...byVariables } = issuerUnder(variablesOf(page));
    expect(byVariables).toEqual({ ...byRow, roleScopes: undefined });
    expect(roleScopes[1]).toEqual(byRow.roleScopes[0]);
  });

  it('begins with what the reader has at its end', () => {
    expect(page.split('\n\n')[1]).toMatch(/^At the end of this guide/);
  });
});
