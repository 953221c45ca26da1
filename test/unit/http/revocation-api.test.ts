import { describe, expect, it } from 'vitest';
import { createPseudonyms } from '../../../lib/audit/pseudonym.ts';
import type { Decision } from '../../../lib/decision/outcome.ts';
import { createAdministration } from '../../../lib/http/revocation-api.ts';
import { createMemoryRevocations } from '../../../lib/revoke/memory.ts';

const nowSeconds = 1_800_000_000;
function clock() {
  return nowSeconds * 1000;
}
const path = '/_authorizer/revocations';

function administration() {
  const administer = createAdministration({
    revocations: createMemoryRevocations(clock),
    pseudonyms: createPseudonyms({ key: 'a pseudonym key of at least 32 bytes', previousKeys: [] }),
    clock,
    knowsIssuer: (issuer) => issuer === 'https://id.example',
  });
  return (method: string, below = '', body?: string | ReadableStream<Uint8Array>) => {
    const [at = '', query] = below.split('?');
    const decision = {
      method,
      path: `${path}${at}`,
      query: query === undefined ? '' : `?${query}`,
      boundary: { requestId: 'r' },
      authMethod: 'jwt',
      principal: null,
    } as Decision;
    const init = { method, ...(body === undefined ? {} : { body, duplex: 'half' }) };
    return administer(decision, new Request(`https://api.example${path}`, init));
  };
}
function entry(fields: object) {
  return JSON.stringify({ kind: 'jti', id: 'token-1', ...fields });
}

describe('revocations over HTTP', () => {
  it('a subject without a cut-off is refused with what was issued in this very second, too, as from the command line', async () => {
    const answer = await administration()('POST', '', entry({ kind: 'sub' }));
    expect(await answer.json()).toMatchObject({ before: nowSeconds + 1 });
  });

  it('a subject of an issuer whose tokens count nowhere is refused: it would revoke nothing', async () => {
    const ask = administration();
    expect((await ask('POST', '', entry({ kind: 'sub', issuer: 'https://id.example' }))).status).toBe(201);
    expect((await ask('POST', '', entry({ kind: 'sub', issuer: 'https://id.example/' }))).status).toBe(400);
  });

  it('a cut-off in milliseconds is a mistake, and would be one that no list could print', async () => {
    const ask = administration();
    for (const before of [nowSeconds * 1000, Number.MAX_SAFE_INTEGER])
      expect((await ask('POST', '', entry({ kind: 'sub', before }))).status).toBe(400);
    expect((await ask('POST', '', entry({ kind: 'sub', before: nowSeconds + 3600 }))).status).toBe(201);
  });

  it('a thumbprint is found and taken back in the form in which it was given', async () => {
    const ask = administration();
    const printed = 'AB'.repeat(32);
    const colons = printed.match(/../g)?.join(':') ?? '';
    expect((await ask('POST', '', entry({ kind: 'thumbprint', id: printed }))).status).toBe(201);
    for (const form of [`/thumbprint/${printed}`, `?kind=thumbprint&id=${colons}`])
      expect((await ask('GET', form)).status).toBe(200);
    expect((await ask('GET', '/thumbprint/no-thumbprint')).status).toBe(404);
    expect((await ask('DELETE', `/thumbprint/${printed}`)).status).toBe(200);
    expect((await ask('GET', `/thumbprint/${printed}`)).status).toBe(404);
  });

  it('HEAD counts as GET, and nothing is deleted that is not named', async () => {
    const ask = administration();
    await ask('POST', '', entry({}));
    for (const below of ['', '/jti/token-1']) expect((await ask('HEAD', below)).status).toBe(200);
    expect((await ask('DELETE')).status).toBe(400);
    expect((await ask('GET', '/jti/token-1')).status).toBe(200);
  });

  it('a body is not read past what could be an entry, however long it says or does not say it is', async () => {
    let pulled = 0;
    const long = new ReadableStream<Uint8Array>({
      pull: (controller) => {
        pulled += 1;
        if (pulled > 1000) controller.close();
        else controller.enqueue(new Uint8Array(1024));
      },
    });
    expect((await administration()('POST', '', long)).status).toBe(400);
    expect(pulled).toBeLessThan(10);
  });
});
