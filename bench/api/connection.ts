// One kept connection of the load, asked for one thing after the other. It speaks just so much HTTP/1.1 (RFC 9112) as
// the servers under test answer with and reads into one buffer for ever: a client that leaves garbage behind collects
// it on the processors that the servers run on, and its pauses would count as theirs.
import { connect } from 'node:net';

const bufferBytes = 64 * 1024;
const headMax = 16 * 1024;
const headEnd = '\r\n\r\n';
const lastChunk = Buffer.from('0\r\n\r\n');

export type Connection = ReturnType<typeof openConnection>;

/** `request` is all that goes to the server, head and empty line. Rejects for every answer but 200. */
export function openConnection(hostname: string, port: number) {
  const buffer = Buffer.allocUnsafe(bufferBytes);
  let waiting: { resolve(): void; reject(error: Error): void } | null = null;
  let head = '';
  /** Of the body; null until the head is read, and infinite for one in chunks. */
  let bytesLeft: number | null = null;
  let status = 0;
  let refusal = '';

  const socket = connect({
    host: hostname,
    port,
    noDelay: true,
    onread: {
      buffer,
      callback(bytes) {
        take(buffer.subarray(0, bytes));
        return true;
      },
    },
  });
  socket.on('error', fail);
  socket.on('close', () => fail(new Error('the connection was closed')));

  function fail(error: Error): void {
    const failed = waiting;
    waiting = null;
    failed?.reject(error);
  }

  function take(bytes: Buffer): void {
    const body = bytesLeft === null ? takeHead(bytes) : bytes;
    if (body === null || bytesLeft === null) return;
    if (status !== 200) refusal += body.toString();
    bytesLeft -= body.length;
    // No second answer is under way, so the last chunk ends what has come.
    const isOver =
      bytesLeft === Number.POSITIVE_INFINITY ? body.subarray(-5).equals(lastChunk) : bytesLeft <= 0;
    if (isOver) end();
  }

  /** Answers what came behind the head, or null before its end. */
  function takeHead(bytes: Buffer): Buffer | null {
    const seen = head.length;
    head += bytes.toString('latin1');
    const at = head.indexOf(headEnd);
    if (at < 0) {
      if (head.length > headMax) fail(new Error('the head of an answer has no end'));
      return null;
    }
    status = Number(head.slice(9, 12));
    const length = /\r\ncontent-length: *(\d+)/i.exec(head.slice(0, at));
    bytesLeft = length ? Number(length[1]) : Number.POSITIVE_INFINITY;
    return bytes.subarray(at + headEnd.length - seen);
  }

  function end(): void {
    const answered = waiting;
    const problem = status === 200 ? null : new Error(`answered ${status}: ${refusal}`);
    waiting = null;
    head = '';
    bytesLeft = null;
    refusal = '';
    if (problem) answered?.reject(problem);
    else answered?.resolve();
  }

  return {
    get isOpen() {
      return !socket.destroyed;
    },
    ask(request: string): Promise<void> {
      return new Promise((resolve, reject) => {
        waiting = { resolve, reject };
        socket.write(request);
      });
    },
    close: () => socket.destroy(),
  };
}
