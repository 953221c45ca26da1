import { expect, test } from 'vitest';
import { createNodeRedisExchange } from '../../lib/platform/node/redis.ts';
import { opensslProgram, startAuthority } from '../support/certificates.ts';
import { describeWith } from '../support/describe-with.ts';
import { placeOf } from '../support/fuzz-targets.ts';
import { HTTP } from '../support/fuzzing-peer.ts';
import { issuePeerCertificates, startTlsFuzzingPeer } from '../support/tls-fuzzing-peer.ts';

const openssl = await opensslProgram();

describeWith([openssl], 'a Redis REST whose handshakes come to no end', () => {
  test.each([
    [4, 'a few'],
    [80, 'more than are made at once'],
  ])(
    'is found again within two seconds after %i requests (%s), not after ten',
    async (requests) => {
      const [authority, stranger] = [await startAuthority(openssl), await startAuthority(openssl)];
      const certificates = await issuePeerCertificates(authority, stranger);
      const peer = await startTlsFuzzingPeer(1, () => ({ body: '{"result":"PONG"}' }), HTTP, certificates);
      const { egress, url } = placeOf(peer.port, certificates.believed);
      const exchange = createNodeRedisExchange(new URL(url), egress, () => {})('token');
      const ask = () =>
        exchange('["PING"]', AbortSignal.timeout(200), true).then(
          ({ status }) => status,
          () => 'failed',
        );
      peer.only('silence instead of a handshake');
      peer.behave(false);
      const failed = await Promise.all(Array.from({ length: requests }, ask));
      expect(new Set(failed)).toEqual(new Set(['failed']));
      peer.behave(true);
      await expect.poll(ask, { timeout: 2_500 }).toBe(200);
      await Promise.all([peer.stop(), authority.stop(), stranger.stop()]);
    },
    20_000,
  );
});
