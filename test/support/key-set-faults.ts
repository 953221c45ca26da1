import type { ServerResponse } from 'node:http';

/** What can go wrong with an issuer's key set. */
export type KeySetFault =
  /** Connections are refused. */
  | { readonly kind: 'down' }
  /** Requests are taken and never answered. */
  | { readonly kind: 'hang' }
  /** The right answer, late. */
  | { readonly kind: 'slow'; readonly delayMs: number }
  | { readonly kind: 'status'; readonly status: number }
  /** 200 with a web page, as a captive portal answers. */
  | { readonly kind: 'html' }
  /** 200 with JSON that never ends. */
  | { readonly kind: 'endless' }
  /** 200 with JSON that breaks off. */
  | { readonly kind: 'truncated' }
  | { readonly kind: 'redirect'; readonly location: string }
  /** 200 with these keys (an empty list is a valid, useless set). */
  | { readonly kind: 'keys'; readonly keys: readonly object[] };

const CHUNK = `${JSON.stringify({ kty: 'RSA', kid: 'x'.repeat(1024) })},`.repeat(64);

/** Answers a request for the key set in the way of a fault; `rightly` gives the true answer. `down` is not for here. */
export function answerFaultily(fault: KeySetFault, response: ServerResponse, rightly: () => void): void {
  switch (fault.kind) {
    case 'down':
    case 'hang':
      return;
    case 'slow':
      setTimeout(rightly, fault.delayMs);
      return;
    case 'status':
      response.writeHead(fault.status, { 'content-type': 'text/plain' }).end('no keys today');
      return;
    case 'html':
      response.writeHead(200, { 'content-type': 'text/html' }).end('<html><body>Please log in</body></html>');
      return;
    case 'endless':
      pour(response);
      return;
    case 'truncated':
      response.writeHead(200, { 'content-type': 'application/json' }).end('{"keys":[{"kty":"RSA",');
      return;
    case 'redirect':
      response.writeHead(302, { location: fault.location }).end();
      return;
    case 'keys':
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ keys: fault.keys }));
      return;
  }
}

function pour(response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'application/json' });
  response.write('{"keys":[');
  const more = (): void => {
    while (!response.destroyed && response.write(CHUNK));
    if (!response.destroyed) response.once('drain', more);
  };
  more();
}
