// Mailed links: each works once, for a while, for one purpose, and until the next of its kind.
import { type LinkPurpose, linkPages } from '#contract';
import type { KeptLink } from '#db';
import type { Deps } from '../deps.ts';
import type { MailContent, MailKind } from './mail.ts';
import { verifyMail } from './mail-texts.ts';
import { randomToken, sha256 } from './secrets.ts';

const hourSeconds = 3600;

const verifyLinkHours = 24;

/** Whom a link is for, by name, and where it is sent. */
interface Receiver {
  email: string;
  username: string;
}

/** A new link in a mail that is sealed; an act of the database is to keep both. */
async function newLink(
  deps: Deps,
  of: { purpose: LinkPurpose; kind: MailKind; email: string; ttlSeconds: number },
  content: (link: string) => MailContent,
): Promise<KeptLink> {
  const { purpose, kind, email, ttlSeconds } = of;
  const token = randomToken();
  const link = `${deps.config.APP_ORIGIN}${linkPages[purpose]}#${token}`;
  const mail = await deps.mailer.seal(kind, email, content(link));
  return { purpose, email, hash: await sha256(token), ttlSeconds, mail };
}

/** Shows that a mailbox is its person's. */
export function verifyLink(deps: Deps, { email, username }: Receiver): Promise<KeptLink> {
  const hours = verifyLinkHours;
  return newLink(
    deps,
    { purpose: 'verify', kind: 'verify', email, ttlSeconds: hours * hourSeconds },
    (link) => verifyMail({ username, link, hours }),
  );
}
