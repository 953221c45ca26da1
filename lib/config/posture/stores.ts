import type { Config } from '../load.ts';
import type { Say } from './say.ts';

/** Budgets, and what decides while Redis does not answer. */
export function describeLimits({ settings, documents }: Config, { enforced, weak, attack }: Say): void {
  if (settings.rateLimitPerMinute > 0)
    enforced(
      `General budget: ${settings.rateLimitPerMinute} a minute, burst ${settings.burstLimit || settings.rateLimitPerMinute}, ${settings.redisUrl ? 'shared through Redis' : 'in this process only'}.`,
    );
  else weak('No general rate limit (TGEFD_RATE_LIMIT_PER_MINUTE is 0).');
  if (settings.heavyRateLimitPerMinute > 0)
    enforced(
      `Heavy budget: ${settings.heavyRateLimitPerMinute} a minute, burst ${settings.heavyBurstLimit || settings.heavyRateLimitPerMinute}.`,
    );
  else if (documents.endpoints.some(({ budget }) => budget === 'heavy'))
    weak('No further limit on rows with the budget `heavy` (TGEFD_HEAVY_RATE_LIMIT_PER_MINUTE is 0).');
  if (settings.rateLimitOnError === 'open' || settings.heavyRateLimitOnError === 'open') {
    weak('While Redis does not answer, nothing is limited.');
    attack('Make Redis slow, then flood.');
  }
  if (settings.authFailureLimitPerMinute > 0)
    enforced(`Failed authentications: ${settings.authFailureLimitPerMinute} a minute from one address.`);
  else weak('Failed authentications are not limited (TGEFD_AUTH_FAILURE_LIMIT_PER_MINUTE is 0).');
}

/** How soon a revocation holds. */
export function describeRevocation({ settings, eventIssuers }: Config, { enforced, weak, attack }: Say): void {
  if (!settings.redisUrl) weak('Only this process keeps revocations; they are lost when it ends.');
  else if (settings.rateLimitMode === 'exact')
    enforced('A revocation takes effect with the next decision (exact mode).');
  else
    enforced(`A revocation takes effect everywhere within ${settings.revocationMaximumDelaySeconds} s (leased mode).`);
  if (settings.revocationOnError === 'open') {
    weak('While Redis does not answer, revoked credentials pass.');
    attack('Cut Redis off and use a revoked token.');
  }
  for (const { spellings, subjectIssuers, types } of eventIssuers) {
    enforced(`Security events of ${spellings[0]} revoke tokens of ${subjectIssuers.join(', ')}.`);
    if (types.some((type) => type !== 'secevent+jwt' && type !== 'application/secevent+jwt'))
      weak(`Events of ${spellings[0]} need no type of their own: any token it signs with \`events\` in it counts.`);
  }
}

/** How durable records are. */
export function describeAudit({ settings }: Config, { enforced, weak }: Say): void {
  if (settings.auditMode === 'strict' && settings.redisUrl)
    enforced('No answer leaves before its audit record is durable.');
  else if (settings.auditMode === 'strict')
    weak('Records are strict, but in memory: without Redis they are lost when the process ends.');
  else if (settings.auditMode === 'relaxed')
    weak('Records are written after the answer: a crash can lose the last ones.');
  else weak('No audit records are kept (TGEFD_AUDIT_MODE is `off`).');
}
