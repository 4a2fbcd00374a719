// The policy of new passwords: long, and not one of the first that others would try (NIST SP 800-63B, section 3.1.1.2).
import { problem } from '../problem.ts';
import { foldPassword, isCommonPassword } from './common-passwords.ts';

/** Shorter words stand in many passwords by chance. */
const wordCharsMin = 4;
const ownWords = ['livepanty'];

/** Throws `password-common` for one that many use, or that holds the person's own names or ours. */
export async function checkNewPassword(
  password: string,
  person: { username: string; email: string },
): Promise<void> {
  const folded = foldPassword(password);
  const [local = ''] = person.email.split('@');
  const words = [person.username, local, ...ownWords].map(foldPassword);
  if (words.some((word) => word.length >= wordCharsMin && folded.includes(word))) {
    throw problem('password-common', { reason: 'name' });
  }
  if (await isCommonPassword(password)) throw problem('password-common', { reason: 'list' });
}
