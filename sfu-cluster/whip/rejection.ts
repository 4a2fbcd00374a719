// Rejections: expected noes to an HTTP request, each with a code of the contract's problems.
import { type ProblemCode, type SocketErrorCode, sdpMediaType } from '#contract';
import { Refusal } from '../refusals.ts';

/** Thrown by whatever serves a request; becomes a problem document (RFC 9457). */
export class Rejection extends Error {
  readonly code: ProblemCode;
  readonly headers: Readonly<Record<string, string>>;

  constructor(code: ProblemCode, detail: string, headers: Readonly<Record<string, string>> = {}) {
    super(detail);
    this.name = 'Rejection';
    this.code = code;
    this.headers = headers;
  }
}

/** A rejection with this code, to be thrown. */
export function rejection(
  code: ProblemCode,
  detail: string,
  headers?: Readonly<Record<string, string>>,
): Rejection {
  return new Rejection(code, detail, headers);
}

/** Requests come again after so long when the node has no room, or a part of it is away. */
const retryAfterSeconds = 2;

const problemOfRefusal: Partial<Record<SocketErrorCode, ProblemCode>> = {
  'malformed-frame': 'offer-refused',
  'unsupported-media': 'offer-refused',
  'ticket-invalid': 'unauthenticated',
  'ticket-expired': 'unauthenticated',
  'ticket-used': 'unauthenticated',
  revoked: 'unauthenticated',
  forbidden: 'forbidden',
  'already-published': 'already-published',
  replaced: 'already-published',
  'not-found': 'not-found',
  'rate-limited': 'rate-limited',
  'stream-ended': 'stream-ended',
  'no-room': 'media-unavailable',
  unavailable: 'media-unavailable',
};

/** What an error means to whoever has sent the request; null for one that is a fault of ours. */
export function rejectionOf(error: unknown): Rejection | null {
  if (error instanceof Rejection) return error;
  const code = error instanceof Refusal ? problemOfRefusal[error.code] : undefined;
  if (!(error instanceof Refusal) || !code) return null;
  return rejection(code, error.message, headersOf(code));
}

function headersOf(code: ProblemCode): Record<string, string> {
  switch (code) {
    case 'unauthenticated':
      return { 'www-authenticate': 'Bearer' };
    case 'media-unavailable':
    case 'rate-limited':
      return { 'retry-after': String(retryAfterSeconds) };
    case 'unsupported-media-type':
      return { 'accept-post': sdpMediaType };
    default:
      return {};
  }
}
