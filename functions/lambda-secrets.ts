import { request } from 'node:http';
import type { ReadSecret } from '../lib/config/sources.ts';

export interface ExtensionSettings {
  /** Port of the AWS Parameters and Secrets extension on localhost (2773 unless `PARAMETERS_SECRETS_EXTENSION_HTTP_PORT`). */
  readonly port: number;
  /** `AWS_SESSION_TOKEN`: shows the extension that the caller is this function. */
  readonly token: string;
  readonly timeoutMs: number;
}

/**
 * Reads secrets of AWS Secrets Manager through the Lambda extension, which holds them for its own time to live. A reference is
 * `name-or-ARN`, or `name-or-ARN#field` for one member of a secret that is a JSON object. Rejects with a message
 * that names the fault and never the value. Needs an extension that is ready: it is not before the first event.
 */
export function createExtensionSecrets(settings: ExtensionSettings): ReadSecret {
  return async (reference) => {
    const hash = reference.lastIndexOf('#');
    const name = hash === -1 ? reference : reference.slice(0, hash);
    const answer = await get(settings, `/secretsmanager/get?secretId=${encodeURIComponent(name)}`);
    const text = memberOf(answer, 'SecretString', 'an answer without a secret string');
    return hash === -1 ? text : memberOf(text, reference.slice(hash + 1), 'a secret without the field asked for');
  };
}

/** Only its own port on this machine; no redirect is followed, no proxy used, and nothing of the answer is told. */
function get({ port, token, timeoutMs }: ExtensionSettings, path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const headers = { 'X-Aws-Parameters-Secrets-Token': token };
    const signal = AbortSignal.timeout(timeoutMs);
    const asked = request({ host: '127.0.0.1', port, path, headers, signal }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', () => reject(new Error('no answer from the secrets extension')));
      response.on('end', () => {
        if (response.statusCode === 200) resolve(Buffer.concat(chunks).toString('utf8'));
        else reject(new Error(`status ${response.statusCode} from the secrets extension`));
      });
    });
    asked.on('error', () => reject(new Error('no answer from the secrets extension')));
    asked.end();
  });
}

function memberOf(json: string, name: string, otherwise: string): string {
  let value: unknown;
  try {
    const object: unknown = JSON.parse(json);
    value =
      typeof object === 'object' && object !== null && Object.hasOwn(object, name) ? Reflect.get(object, name) : null;
  } catch {
    value = null;
  }
  if (typeof value !== 'string') throw new Error(otherwise);
  return value;
}
