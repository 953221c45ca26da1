import type { Config } from '../load.ts';
import { archiveWeakness } from '../rules/stores/archive.ts';
import { describeCallers } from './callers.ts';
import { describeBoundary, describeCaching, describeTransport } from './perimeter.ts';
import type { PostureLine, Say } from './say.ts';
import { describeAudit, describeLimits, describeRevocation } from './stores.ts';
import { describeProofsAndMessages } from './tokens.ts';

/**
 * The posture in plain words: what is enforced, what is weak, and what an attacker would try first. Describes the
 * configuration only; it has not asked the issuer, Redis or the upstream anything.
 */
export function posture(config: Config): readonly PostureLine[] {
  const lines: PostureLine[] = [];
  const saying = (kind: PostureLine['kind']) => (text: string) => void lines.push({ kind, text });
  const say: Say = { enforced: saying('enforced'), weak: saying('weak'), attack: saying('attack') };
  const unarchived = archiveWeakness(config.settings, config.place);
  if (unarchived !== null) say.weak(unarchived);
  if (config.settings.environment !== 'production')
    say.weak('TGEFD_ENV is `development`: weak settings are allowed. Do not let other people reach this process.');
  if (config.settings.shadowUntil !== null)
    say.weak(
      `Until ${new Date(config.settings.shadowUntil).toISOString()} missing grants and spent budgets are recorded, not refused (TGEFD_SHADOW_UNTIL).`,
    );
  describeCallers(config, say);
  describeProofsAndMessages(config, say);
  describeBoundary(config, say);
  describeLimits(config, say);
  describeRevocation(config, say);
  describeCaching(config, say);
  describeAudit(config, say);
  describeTransport(config, say);
  return lines;
}
