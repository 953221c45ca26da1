import type { Source } from '../../audit/outbox.ts';
import type { Recorder } from '../../audit/recorder.ts';
import type { Settings } from '../../config/variables.ts';
import type { RequestContext } from '../../decision/ports.ts';
import type { WarmUp } from '../../redis/warm-up.ts';
import { type IssuerKeySets, keysReady, warmKeySets } from '../authenticate/issuers.ts';

/**
 * Whether a request could be decided now, and what makes it so. A strict process whose records find no place answers
 * nothing but 503: it is not ready until the outbox has room again, which `warm` looks for.
 */
export function composeReadiness(
  settings: Pick<Settings, 'auditMode' | 'auditStreamMaximum'>,
  parts: {
    readonly keySets: IssuerKeySets;
    /** An issuer that answers about opaque tokens makes requests decidable without any key. */
    readonly asksAboutTokens: boolean;
    readonly recorder: Pick<Recorder, 'counts' | 'hasRoom'>;
    readonly outbox: Pick<Source, 'backlog'> | null;
    readonly warmUp: WarmUp | null;
  },
) {
  const { keySets, recorder, outbox, warmUp } = parts;
  const isStuck = () => settings.auditMode === 'strict' && recorder.counts().full;
  const lookForRoom = async () => {
    const held = await outbox?.backlog().catch(() => null);
    if (held && held.entries < settings.auditStreamMaximum) recorder.hasRoom();
  };
  return {
    ready: (): boolean => keysReady(keySets, parts.asksAboutTokens) && !isStuck() && warmUp?.isDone() !== false,
    async warm(context: RequestContext): Promise<void> {
      await Promise.all([warmKeySets(keySets, context), isStuck() ? lookForRoom() : null, warmUp?.run()]);
    },
  };
}
