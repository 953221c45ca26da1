import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { providerNames } from '../../lib/authenticate/providers/provider.ts';
import { providerTokens } from '../doors/providers/table.ts';

const GUIDES = join(import.meta.dirname, '../../docs/guides/providers');

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

  it('begins with what the reader has at its end', () => {
    expect(page.split('\n\n')[1]).toMatch(/^At the end of this guide/);
  });
});
