// Bytes as PostgreSQL takes them in text.

/** In hexadecimal, for `decode(…, 'hex')`. */
export function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
