// An SMTP server as the configuration names it: where it is, who logs in, and how the connection is encrypted.

export interface SmtpServer {
  host: string;
  port: number;
  /** From the first byte, by STARTTLS before anything is said, or not at all: for local stand-ins. */
  tls: 'implicit' | 'starttls' | 'none';
  login: { user: string; password: string } | null;
}

/**
 * `smtps://user:password@host:465`, `smtp://user:password@host:587` (STARTTLS, without which nothing is sent), or
 * `smtp://127.0.0.1:4825?tls=none`. Null for anything else: what is not understood must not weaken anything.
 */
export function parseSmtpUrl(text: string): SmtpServer | null {
  if (!URL.canParse(text)) return null;
  const url = new URL(text);
  const isImplicit = url.protocol === 'smtps:';
  if (!isImplicit && url.protocol !== 'smtp:') return null;
  if (url.hostname === '' || url.hash !== '' || !['', '/'].includes(url.pathname)) return null;
  const isPlain = url.search === '?tls=none';
  if (url.search !== '' && (!isPlain || isImplicit)) return null;
  if ((url.username === '') !== (url.password === '')) return null;
  const [user, password] = [decode(url.username), decode(url.password)];
  if (user === null || password === null) return null;
  return {
    host: url.hostname.replace(/^\[(.*)\]$/, '$1'),
    port: Number(url.port) || (isImplicit ? 465 : 587),
    tls: isImplicit ? 'implicit' : isPlain ? 'none' : 'starttls',
    login: user === '' ? null : { user, password },
  };
}

/** Null for an escape that is none. */
function decode(text: string): string | null {
  try {
    return decodeURIComponent(text);
  } catch {
    return null;
  }
}
