// A proxy in front of PostgreSQL that counts round trips: every Query and Sync message that a client sends, but for what
// an instance of the edge asks at its own pace, whatever it is asked itself.
import { connect, createServer } from 'node:net';

/** Frontend messages that the server answers with ReadyForQuery (PostgreSQL protocol, "Message Formats"). */
const query = 'Q'.charCodeAt(0);
const sync = 'S'.charCodeAt(0);
const parse = 'P'.charCodeAt(0);
/** Asked twice a second by each instance. */
const atItsOwnPace = /\brevocations_(after|begin)\b/;

export interface RoundTripCounter {
  /** The same database, through the proxy. */
  url: string;
  /** Round trips since the last time it was asked. */
  take(): number;
  close(): Promise<void>;
}

/** Listens on a free port of the loopback address; connections must not use TLS. */
export async function countRoundTrips(databaseUrl: string): Promise<RoundTripCounter> {
  const target = new URL(databaseUrl);
  let counted = 0;
  const server = createServer((client) => {
    const database = connect(Number(target.port), target.hostname);
    const count = createMessageCounter(() => {
      counted += 1;
    });
    client.on('data', count);
    client.pipe(database).pipe(client);
    for (const socket of [client, database]) {
      socket.setNoDelay(true);
      socket.on('error', () => {
        client.destroy();
        database.destroy();
      });
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (typeof address !== 'object' || !address) throw new Error('no port');
  const url = new URL(databaseUrl);
  url.hostname = '127.0.0.1';
  url.port = String(address.port);
  return {
    url: url.href,
    take() {
      const taken = counted;
      counted = 0;
      return taken;
    },
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

/** Reads the stream of a client's messages: the first has no type, the others a type and a length. */
function createMessageCounter(onRoundTrip: () => void): (chunk: Buffer) => void {
  let rest: Buffer = Buffer.alloc(0);
  let started = false;
  let isUncounted = false;
  return (chunk) => {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    for (;;) {
      const head = started ? 1 : 0;
      if (rest.length < head + 4) return;
      const length = head + rest.readUInt32BE(head);
      if (rest.length < length) return;
      const isQuery = rest[0] === query;
      if (started && (isQuery || rest[0] === parse)) {
        isUncounted = atItsOwnPace.test(rest.toString('utf8', head + 4, length));
      }
      if (started && (isQuery || rest[0] === sync)) {
        if (!isUncounted) onRoundTrip();
        isUncounted = false;
      }
      started = true;
      rest = rest.subarray(length);
    }
  };
}
