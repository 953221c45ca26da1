import { encodeBase64url } from '../../codec/base64url.ts';

/** A nonce for one answer. */
export function newNonce(): string {
  return encodeBase64url(crypto.getRandomValues(new Uint8Array(16)));
}

/**
 * Fields of every page. Nothing is loaded from elsewhere, no text becomes markup or code (Trusted Types), no other page
 * frames, opens or refers to this one, and nothing is kept.
 */
export function pageFields(nonce: string): readonly (readonly [string, string])[] {
  const policy = [
    "default-src 'none'",
    `script-src 'nonce-${nonce}'`,
    `style-src 'nonce-${nonce}'`,
    "connect-src 'self'",
    "img-src 'self'",
    "form-action 'self'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ];
  return [
    ['content-security-policy', policy.join('; ')],
    ['x-frame-options', 'DENY'],
    ['x-content-type-options', 'nosniff'],
    // `no-referrer` would make browsers send `Origin: null` with our own forms.
    ['referrer-policy', 'same-origin'],
    ['cross-origin-opener-policy', 'same-origin'],
    ['cross-origin-resource-policy', 'same-origin'],
    ['permissions-policy', 'camera=(), geolocation=(), microphone=(), payment=(), usb=()'],
    ['cache-control', 'no-store'],
  ];
}
