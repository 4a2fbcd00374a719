// A mail as it comes over SMTP (RFC 5322, MIME), read as far as the senders here write it.

interface ReadMail {
  messageId: string | null;
  from: string;
  subject: string;
  text: string;
  html: string | null;
}

const partsMax = 20;
const depthMax = 4;

/** Reads a whole mail; `raw` has one character for each byte. */
export function readMime(raw: string): ReadMail {
  const { headers, body } = split(raw);
  const bodies = new Map<string, string>();
  collect(headers, body, bodies, 0);
  return {
    messageId: headers.get('message-id') ?? null,
    from: decodeWords(headers.get('from') ?? ''),
    subject: decodeWords(headers.get('subject') ?? ''),
    text: bodies.get('text/plain') ?? '',
    html: bodies.get('text/html') ?? null,
  };
}

function split(raw: string): { headers: Map<string, string>; body: string } {
  // A part may have no headers, and begins with the empty line behind them then.
  const [head = '', ...rest] = `\n${raw}`.split(/(\r?\n\r?\n)/);
  const body = rest.slice(1).join('');
  const headers = new Map<string, string>();
  // A line that begins with a space goes on with the one before.
  for (const line of head.replace(/\r?\n[ \t]+/g, ' ').split(/\r?\n/)) {
    const colon = line.indexOf(':');
    if (colon > 0) headers.set(line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim());
  }
  return { headers, body };
}

/** The first part of each type counts. */
function collect(
  headers: Map<string, string>,
  body: string,
  bodies: Map<string, string>,
  depth: number,
): void {
  const type = headers.get('content-type') ?? 'text/plain';
  const name = type.split(';')[0]?.trim().toLowerCase() ?? '';
  const boundary = /boundary="?([^";]+)"?/i.exec(type)?.[1];
  if (name.startsWith('multipart/') && boundary !== undefined && depth < depthMax) {
    for (const part of body.split(`--${boundary}`).slice(1, 1 + partsMax)) {
      if (part.startsWith('--')) break;
      const inner = split(part.replace(/^\r?\n/, ''));
      collect(inner.headers, inner.body.replace(/\r?\n$/, ''), bodies, depth + 1);
    }
  } else if (!bodies.has(name)) {
    const text = decodeBody(body, headers.get('content-transfer-encoding') ?? '7bit');
    // As it was before it went over the line.
    bodies.set(name, text.replaceAll('\r\n', '\n'));
  }
}

function decodeBody(body: string, encoding: string): string {
  switch (encoding.toLowerCase()) {
    case 'base64':
      return Buffer.from(body, 'base64').toString('utf8');
    case 'quoted-printable':
      return decodeQuoted(body.replace(/=\r?\n/g, ''));
    default:
      return Buffer.from(body, 'latin1').toString('utf8');
  }
}

/** `=E2=82=B9` and the like. */
function decodeQuoted(text: string): string {
  const bytes = text.replace(/=([0-9A-F]{2})/gi, (_, hex) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
  return Buffer.from(bytes, 'latin1').toString('utf8');
}

/** Words of a header that are not ASCII (RFC 2047). */
function decodeWords(text: string): string {
  return text
    .replace(/\?=\s+=\?/g, '?==?')
    .replace(/=\?utf-8\?([bq])\?([^?]*)\?=/gi, (_, how, word) =>
      how.toLowerCase() === 'b'
        ? Buffer.from(word, 'base64').toString('utf8')
        : decodeQuoted(word.replaceAll('_', ' ')),
    );
}
