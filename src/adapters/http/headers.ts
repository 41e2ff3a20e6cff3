/** Response headers that keep a browser from doing more than our pages need. */

export const SECURITY_HEADERS = {
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'permissions-policy': 'microphone=(self), camera=(), geolocation=()',
  // For everything that is not a page; pages set their own.
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
} as const;

/** Scripts and styles of our own only, none inline; connections to us and to the one WebSocket of the phone. */
export function contentSecurityPolicy(wsUrl: string): string {
  return [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' data:",
    "media-src 'self' blob:",
    `connect-src 'self' ${new URL(wsUrl).origin}`,
    "base-uri 'none'",
    "form-action 'self'",
    "frame-ancestors 'none'",
  ].join('; ');
}
