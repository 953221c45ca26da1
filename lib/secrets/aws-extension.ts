import type { Clock, Fetch } from '../decision/ports.ts';
import { createReferenceReader } from './documents.ts';

export interface ExtensionSettings {
  /** Origin of the AWS Parameters and Secrets extension: `http://127.0.0.1:2773` unless
   * `PARAMETERS_SECRETS_EXTENSION_HTTP_PORT` says another port. */
  readonly origin: string;
  /** `AWS_SESSION_TOKEN`: shows the extension that the caller is this function. */
  readonly token: string;
  readonly timeoutMs: number;
}

/**
 * Reads secrets of AWS Secrets Manager through the Lambda extension, which holds them for its own time to live. A reference is
 * `name-or-ARN`, or `name-or-ARN#field` for one member of a secret that is a JSON object. Rejects with a message
 * that names the fault and never the value. Needs an extension that is ready: it is not before the first event.
 */
export function createExtensionSecrets(
  settings: ExtensionSettings,
  parts: { readonly fetch: Fetch; readonly stopwatch: Clock },
): (reference: string) => Promise<string> {
  return createReferenceReader(async (name) => {
    const url = `${settings.origin}/secretsmanager/get?secretId=${encodeURIComponent(name)}`;
    const response = await parts
      .fetch(url, {
        headers: { 'X-Aws-Parameters-Secrets-Token': settings.token },
        signal: AbortSignal.timeout(settings.timeoutMs),
      })
      .catch(() => null);
    if (response === null) throw new Error('no answer from the secrets extension');
    if (response.status !== 200) {
      await response.body?.cancel();
      throw new Error(`status ${response.status} from the secrets extension`);
    }
    const answer: unknown = await response.json().catch(() => null);
    if (typeof answer === 'object' && answer !== null && 'SecretString' in answer) {
      const { SecretString: text } = answer;
      if (typeof text === 'string') return text;
    }
    throw new Error('an answer without a secret string');
  }, parts.stopwatch);
}
