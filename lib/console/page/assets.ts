import { SCRIPT, SCRIPT_PATH } from './script.ts';
import { STYLE, STYLE_PATH } from './style.ts';

const ICON =
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16"><path fill="#0b5b8a" d="M8 1 2.5 3v4.6c0 3.4 2.3 5.9 5.5 7.4 3.2-1.5 5.5-4 5.5-7.4V3z"/></svg>';

/** A file that every page refers to, or null. It is the same for everybody, signed in or not. */
export function assetAt(path: string): Response | null {
  switch (path) {
    case STYLE_PATH:
      return asset('text/css; charset=utf-8', STYLE);
    case SCRIPT_PATH:
      return asset('text/javascript; charset=utf-8', SCRIPT);
    case '/icon.svg':
      return asset('image/svg+xml', ICON);
    default:
      return null;
  }
}

function asset(type: string, text: string): Response {
  return new Response(text, {
    headers: {
      'content-type': type,
      'cache-control': 'public, max-age=31536000, immutable',
      'x-content-type-options': 'nosniff',
      'cross-origin-resource-policy': 'same-origin',
      'content-security-policy': "default-src 'none'",
    },
  });
}
