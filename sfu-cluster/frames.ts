// Frames: text of the room socket, parsed once on the way in and written once on the way out.
import { ClientFrame, type ServerFrame } from '#contract';

/** A frame as it goes over the wire; a broadcast is encoded once for all sockets. */
export type EncodedFrame = Buffer;

export function encodeFrame(frame: ServerFrame): EncodedFrame {
  return Buffer.from(JSON.stringify(frame));
}

type ParsedFrame =
  | { ok: true; frame: ClientFrame }
  /** `id` is the request's own, where it could be read, so that its sender learns that it failed. */
  | { ok: false; id: number | null; detail: string };

export function parseFrame(text: string): ParsedFrame {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return { ok: false, id: null, detail: 'the frame is not JSON' };
  }
  const parsed = ClientFrame.safeParse(json);
  if (parsed.success) return { ok: true, frame: parsed.data };
  const [issue] = parsed.error.issues;
  const where = issue && issue.path.length > 0 ? `${issue.path.join('.')}: ` : '';
  return {
    ok: false,
    id: idOf(json),
    detail: `${where}${issue?.message ?? 'not a frame of this protocol'}`.slice(0, 200),
  };
}

function idOf(json: unknown): number | null {
  if (typeof json !== 'object' || json === null || !('id' in json)) return null;
  return typeof json.id === 'number' && Number.isSafeInteger(json.id) ? json.id : null;
}
