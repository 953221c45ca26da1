/** One element of `x-forwarded-client-cert`: what one proxy says of the certificate that was presented to it. */
export type ForwardedElement = readonly (readonly [key: string, value: string])[];

/**
 * Splits an Envoy `x-forwarded-client-cert` value into its elements, farthest proxy first; null when it does not follow
 * the grammar. Elements are separated by `,`, pairs by `;`, key and value by `=`; a value that holds one of these is in
 * double quotes. Keys come in lower case. Inside quotes a backslash protects the next character and **both are kept**: what
 * Envoy quotes is a distinguished name with its own escapes, and taking those away would let a certificate with
 * `O=x\,CN=admin` name itself `CN=admin`.
 *
 * Envoy neither quotes nor escapes `URI` and `DNS`, so a `=` in them is let through, and an authority must not issue names
 * that hold `,` or `;`.
 */
export function parseForwardedClientCert(text: string): readonly ForwardedElement[] | null {
  const elements: (readonly [string, string])[][] = [[]];
  pair.lastIndex = 0;
  for (;;) {
    const [, key, quoted, plain, end] = pair.exec(text) ?? [];
    if (key === undefined) return null;
    elements.at(-1)?.push([key.toLowerCase(), quoted ?? plain ?? '']);
    if (end === '') return elements;
    if (end === ',') elements.push([]);
  }
}

const pair = /[ \t]*([A-Za-z]+)=(?:"((?:[^"\\]|\\.)*)"|([^",;\\\s]*))[ \t]*([,;]|$)/y;
