// Security headers: what every answer says to browsers, made once and only copied from then on.
import type { Config } from '../config.ts';
import { isSecure } from './secure-origin.ts';

type Table = readonly (readonly [name: string, value: string])[];

/** Two years, as browsers ask of whoever wants to be on their lists. */
const strictTransport = 'max-age=63072000; includeSubDomains';

export interface SecurityHeaders {
  /** Adds to an answer what it does not say itself: a stricter policy of its own stays. */
  add(headers: Headers, path: string): void;
}

export function createSecurityHeaders(config: Config): SecurityHeaders {
  const everywhere: Table = [
    ['x-content-type-options', 'nosniff'],
    ['referrer-policy', 'strict-origin-when-cross-origin'],
    ['cross-origin-resource-policy', 'same-origin'],
    ...(isSecure(config) ? ([['strict-transport-security', strictTransport]] as const) : []),
  ];
  const ofPages: Table = [
    ...everywhere,
    ['content-security-policy', pagePolicy(config)],
    // Checkout may open a bank's page in a window and must hear from it.
    ['cross-origin-opener-policy', 'same-origin-allow-popups'],
    ['permissions-policy', 'camera=(self), microphone=(self), display-capture=(self)'],
    ['x-frame-options', 'DENY'],
  ];
  // What is no page may neither load anything nor be shown within one.
  const ofApi: Table = [
    ...everywhere,
    ['content-security-policy', "default-src 'none'; frame-ancestors 'none'"],
  ];
  return {
    add(headers, path) {
      const table = path.startsWith('/v1/') || path.startsWith('/internal/') ? ofApi : ofPages;
      for (const [name, value] of table) {
        if (!headers.has(name)) headers.set(name, value);
      }
    },
  };
}

function pagePolicy(config: Config): string {
  const checkout = new URL(config.RAZORPAY_CHECKOUT_URL).origin;
  // The gateway's Checkout opens its pages from its API's origin, too.
  const gateway = [...new Set([checkout, new URL(config.RAZORPAY_API_URL).origin])];
  const directives: Record<string, readonly string[]> = {
    'default-src': ["'self'"],
    'script-src': ["'self'", checkout],
    'style-src': ["'self'"],
    'img-src': ["'self'", 'data:', 'blob:', ...config.MEDIA_ORIGINS],
    'connect-src': ["'self'", ...config.MEDIA_ORIGINS, ...gateway],
    'media-src': ["'self'", 'blob:', ...config.MEDIA_ORIGINS],
    'frame-src': gateway,
    'worker-src': ["'self'", 'blob:'],
    'object-src': ["'none'"],
    'base-uri': ["'none'"],
    'form-action': ["'self'"],
    'frame-ancestors': ["'none'"],
    ...(isSecure(config) ? { 'upgrade-insecure-requests': [] } : {}),
  };
  return Object.entries(directives)
    .map(([name, sources]) => [name, ...sources].join(' '))
    .join('; ');
}
