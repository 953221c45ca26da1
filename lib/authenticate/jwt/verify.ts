import type { RequestContext } from '../../decision/ports.ts';
import type { Eventually } from '../../decision/steps.ts';

/** Verifies one signed token at one instant, in epoch milliseconds. Makes no promise where nothing has to be waited for. */
export type Verify<Verdict> = (
  token: string,
  nowMs: number,
  context: RequestContext,
  mayFetchKeys: boolean,
) => Eventually<Verdict>;
