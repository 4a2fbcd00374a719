// Comparison of secrets in a time that tells nothing about them.
import { createHash, timingSafeEqual } from 'node:crypto';

/** Whether two secrets are the same; the time taken does not depend on where they differ. */
export function equalSecrets(given: string, expected: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(given), digest(expected));
}
