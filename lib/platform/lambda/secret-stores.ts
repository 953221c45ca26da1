import type { ReadSecret } from '../../config/sources.ts';
import type { Clock } from '../../decision/ports.ts';
import type { EgressWatch } from '../../egress/watch.ts';
import { createExtensionSecrets } from '../../secrets/aws-extension.ts';
import { createNodeEgress } from '../node/egress.ts';
import { createNodeFetch } from '../node/fetch.ts';

const TIMEOUT_MS = 2_000;

/** The secret stores of a Lambda function: Secrets Manager behind the extension on this machine, and nothing else. */
export function createLambdaStores(
  env: Readonly<Record<string, string | undefined>>,
  parts: { readonly stopwatch: Clock; readonly watch: EgressWatch },
): ReadonlyMap<string, ReadSecret> {
  const port = Number(env.PARAMETERS_SECRETS_EXTENSION_HTTP_PORT ?? 2773);
  const extension = {
    host: `127.0.0.1:${port}`,
    name: '127.0.0.1',
    port,
    variable: 'PARAMETERS_SECRETS_EXTENSION_HTTP_PORT',
    addresses: 'as_written',
  } as const;
  return new Map([
    [
      'aws-sm',
      createExtensionSecrets(
        {
          origin: `http://${extension.host}`,
          token: env.AWS_SESSION_TOKEN ?? '',
          timeoutMs: TIMEOUT_MS,
        },
        { fetch: createNodeFetch(createNodeEgress([extension], parts.watch.note)), stopwatch: parts.stopwatch },
      ),
    ],
  ]);
}
