// Neon's WebSocket: a pipe of PostgreSQL's own protocol, always to the one server that we stand in for.
import type { IncomingMessage, Server } from 'node:http';
import { connect } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Logger } from 'pino';
import { createWebSocketStream, type WebSocket, WebSocketServer } from 'ws';
import { type Login, sameIdentity } from './login.ts';

const pipesMax = 100;
const startupBytesMax = 10_000;
const startupTimeoutMs = 5_000;
const frameBytesMax = 16 * 1024 * 1024;

const protocolMajorVersion = 3;

export interface Pipes {
  close(): void;
}

/** Accepts WebSockets at `/v2`; the address that a client asks for is ignored. */
export function acceptPipes(server: Server, login: Login, log: Logger): Pipes {
  const sockets = new WebSocketServer({ noServer: true, maxPayload: frameBytesMax });
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    // The server has let go of the socket: an error of it that nobody hears would end the process.
    socket.on('error', () => socket.destroy());
    const path = (request.url ?? '').split('?')[0];
    if (path !== '/v2' || sockets.clients.size >= pipesMax) {
      socket.end(
        `HTTP/1.1 ${path === '/v2' ? '503 Service Unavailable' : '404 Not Found'}\r\n\r\n`,
      );
      return;
    }
    sockets.handleUpgrade(request, socket, head, (client) => {
      join(client, login).catch((error: unknown) => {
        log.warn({ err: error }, 'a database pipe was refused');
        client.terminate();
      });
    });
  });
  return {
    close() {
      for (const client of sockets.clients) client.terminate();
      sockets.close();
    },
  };
}

async function join(client: WebSocket, login: Login): Promise<void> {
  const near = createWebSocketStream(client);
  // Its errors end the pipe through `close`.
  near.on('error', () => {});
  const startup = await readStartup(near);
  if (!sameIdentity(startup, login)) {
    near.end(fatal('28000', 'this database and user are not served here'));
    return;
  }
  const far = connect({ host: login.host, port: login.port, noDelay: true });
  far.on('error', () => near.destroy());
  far.once('close', () => near.destroy());
  near.once('close', () => far.destroy());
  far.write(startup.bytes);
  near.pipe(far);
  far.pipe(near);
}

interface Startup {
  user: string;
  database: string;
  /** Everything read so far: the message, and what came with it. */
  bytes: Buffer;
}

/** Reads PostgreSQL's StartupMessage; anything else (TLS, cancel) is refused. */
function readStartup(stream: Duplex): Promise<Startup> {
  return new Promise((resolve, reject) => {
    let bytes = Buffer.alloc(0);
    const settle = (outcome: Startup | Error) => {
      clearTimeout(timer);
      stream.off('data', onData);
      stream.off('close', onClose);
      stream.pause();
      if (outcome instanceof Error) reject(outcome);
      else resolve(outcome);
    };
    const onClose = () => settle(new Error('the client left before it said who it is'));
    const onData = (chunk: Buffer) => {
      bytes = Buffer.concat([bytes, chunk]);
      if (bytes.length < 8) return;
      const length = bytes.readInt32BE(0);
      if (length > startupBytesMax) return settle(new Error('the startup message is too long'));
      if (bytes.readInt16BE(4) !== protocolMajorVersion) {
        return settle(new Error('only a plain startup message is taken'));
      }
      if (bytes.length < length) return;
      const words = bytes.subarray(8, length).toString('utf8').split('\0');
      const parameters = new Map<string, string>();
      for (let at = 0; at + 1 < words.length; at += 2) {
        parameters.set(words[at] ?? '', words[at + 1] ?? '');
      }
      const user = parameters.get('user') ?? '';
      settle({ user, database: parameters.get('database') ?? user, bytes });
    };
    const timer = setTimeout(
      () => settle(new Error('no startup message came in time')),
      startupTimeoutMs,
    );
    stream.on('data', onData);
    stream.once('close', onClose);
  });
}

/** PostgreSQL's ErrorResponse with severity FATAL. */
function fatal(code: string, message: string): Buffer {
  const fields = Buffer.from(`SFATAL\0VFATAL\0C${code}\0M${message}\0\0`, 'utf8');
  const head = Buffer.alloc(5);
  head.write('E', 0, 'latin1');
  head.writeInt32BE(fields.length + 4, 1);
  return Buffer.concat([head, fields]);
}
