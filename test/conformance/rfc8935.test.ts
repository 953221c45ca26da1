/**
 * RFC 8935 (push delivery) and RFC 8417 (security event tokens) as they bind a recipient. The table is docs/reference/rfc8935.md; the
 * checks of single claims are in test/unit/events, whole requests in test/doors/shared-signals.test.ts.
 */
import { describe, expect, it } from 'vitest';
import { createEventsPage, type EventsPageParts } from '../../lib/http/events-page.ts';
import { createSignals, eventOf, RISC } from '../unit/events/security-events.ts';

const signals = await createSignals();

function page(changes: Partial<EventsPageParts> = {}) {
  return createEventsPage({
    examine: () => ({
      boundary: { addressPartition: '192.0.2.1', requestId: 'r', secure: true } as never,
      denial: null,
    }),
    receive: (text) => signals.receive(text),
    failures: { exhausted: () => null, spend: () => {} },
    requireTls: true,
    authMode: 'jwt',
    record: async () => 'recorded',
    count: () => {},
    transportFields: () => [],
    clock: () => 0,
    stopwatch: () => 0,
    newId: () => 'id',
    ...changes,
  });
}
async function push(body: string, changes: Partial<EventsPageParts> = {}, type = 'application/secevent+jwt') {
  const request = new Request('https://api.example/_authorizer/events', {
    ...{ method: 'POST', body, headers: { 'content-type': type } },
  });
  return page(changes)({} as never, request, { defer: () => {} });
}
const revoked = eventOf(`${RISC}/sessions-revoked`);

describe('RFC 8935', () => {
  it('§2.2: a token that was processed is acknowledged by 202 with an empty body', async () => {
    const answer = await push(await signals.token(revoked));
    expect([answer.status, await answer.text()]).toEqual([202, '']);
  });

  it('§2.2: a token that is sent again is acknowledged again', async () => {
    const text = await signals.token(revoked);
    for (let i = 0; i < 2; i++) expect((await push(text)).status).toBe(202);
  });

  it('§2: the acknowledgement comes once the token is stored, not before', async () => {
    const text = await signals.token(revoked);
    expect((await push(text, { record: async () => 'unavailable' })).status).toBe(503);
  });

  it('§2.1: the content type is that of security event tokens', async () => {
    for (const type of ['application/jwt', 'text/plain', 'application/secevent+jwt-other'])
      expect((await push(await signals.token(revoked), {}, type)).status).toBe(400);
    const parameters = 'application/secevent+jwt; charset=utf-8';
    expect((await push(await signals.token(revoked), {}, parameters)).status).toBe(202);
  });

  it.each([
    ['invalid_request', 'nonsense', {}],
    ['invalid_issuer', null, { claims: { iss: 'https://other.example' } }],
    ['invalid_audience', null, { claims: { aud: 'https://other.example' } }],
    ['invalid_key', null, { header: { kid: 'other' } }],
  ] as const)('§2.3, §2.4: %s is 400 with JSON in a language', async (err, text, changed) => {
    const answer = await push(text ?? (await signals.token(revoked, changed)));
    expect([answer.status, answer.headers.get('content-type'), answer.headers.get('content-language')]).toEqual([
      ...[400, 'application/json', 'en'],
    ]);
    expect(await answer.json()).toEqual({ err, description: expect.any(String) });
  });

  it('§5.3 (TLS): plain HTTP is refused where TLS is demanded', async () => {
    const examine = () => ({
      boundary: { addressPartition: null, requestId: 'r', secure: false } as never,
      denial: null,
    });
    expect((await push(await signals.token(revoked), { examine })).status).toBe(403);
  });

  it('§5.4 (denial of service): failures of one address are 429 in the end, and valid tokens still count', async () => {
    const failures = { exhausted: () => 7, spend: () => {} };
    const answer = await push('nonsense', { failures });
    expect([answer.status, answer.headers.get('retry-after')]).toEqual([429, '7']);
    expect((await push(await signals.token(revoked), { failures })).status).toBe(202);
  });

  it('§5.3, §6: nothing of a token is echoed', async () => {
    const answer = await push(await signals.token(revoked, { claims: { aud: 'https://other.example' } }));
    expect(await answer.text()).not.toMatch(/alice|other\.example|eyJ/);
  });
});

describe('RFC 8417', () => {
  it('§2.2: a type of event that nobody knows is ignored, not refused', async () => {
    expect((await push(await signals.token(eventOf('urn:example:event')))).status).toBe(202);
  });

  it.each(['iss', 'iat', 'jti', 'events'])('§2.2: a token without %s is refused', async (claim) => {
    const events = claim === 'events' ? undefined : revoked;
    expect(
      (await push(await signals.token(events, { claims: claim === 'events' ? {} : { [claim]: undefined } }))).status,
    ).toBe(400);
  });

  it('§4.1, §4.2: ID tokens and access tokens are no security events', async () => {
    for (const typ of ['JWT', 'at+jwt', undefined])
      expect((await push(await signals.token(revoked, { header: { typ } }))).status).toBe(400);
  });
});
