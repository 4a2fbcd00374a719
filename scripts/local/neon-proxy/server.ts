// The local stand-in for Neon: the HTTP and WebSocket protocols of its driver in front of one PostgreSQL.
import pg from 'pg';
import type { Logger } from 'pino';
import { answerHealth, BodyTooLarge, listenLocally, readBody, sendJson } from '../http.ts';
import { parseLogin } from './login.ts';
import { acceptPipes } from './pipe.ts';
import { createSqlEndpoint } from './sql.ts';

export const requestBodyBytesMax = 10 * 1024 * 1024;
const poolConnectionsMax = 40;
const connectTimeoutMs = 5_000;
const poolIdleMs = 60_000;

export interface NeonProxy {
  port: number;
  close(): Promise<void>;
}

/**
 * Starts the stand-in on the loopback address. It only ever talks to the server of `databaseUrl`,
 * and only for clients that present the same user, password and database.
 */
export async function startNeonProxy(options: {
  databaseUrl: string;
  port: number;
  log: Logger;
}): Promise<NeonProxy> {
  const { log } = options;
  const login = parseLogin(options.databaseUrl);
  if (!login) throw new Error('DATABASE_URL is not a PostgreSQL connection string');
  const pool = new pg.Pool({
    connectionString: options.databaseUrl,
    max: poolConnectionsMax,
    connectionTimeoutMillis: connectTimeoutMs,
    idleTimeoutMillis: poolIdleMs,
    application_name: 'neon-proxy',
  });
  // An idle connection that breaks is replaced by the pool.
  pool.on('error', (error) => log.warn({ err: error }, 'an idle database connection broke'));
  const answerSql = createSqlEndpoint(pool, login);

  const listening = await listenLocally((request, response) => {
    const handle = async () => {
      const probes = { postgres: async () => void (await pool.query('select 1')) };
      if (await answerHealth(request, response, 'neon-proxy', probes)) return;
      if (request.method !== 'POST' || request.url?.split('?')[0] !== '/sql') {
        return sendJson(response, 404, {
          message: 'only POST /sql and the WebSocket /v2 are here',
        });
      }
      const { status, body } = await answerSql(
        request.headers,
        await readBody(request, requestBodyBytesMax),
      );
      if (status >= 500) log.warn({ status }, 'the database cannot be reached');
      sendJson(response, status, body);
    };
    handle().catch((error: unknown) => {
      if (error instanceof BodyTooLarge) {
        response.setHeader('connection', 'close');
        return sendJson(response, 413, { message: `the body is too large: ${error.message}` });
      }
      // The client went away in the middle, or an answer could not be written.
      log.debug({ err: error }, 'a request broke off');
      response.destroy();
    });
  }, options.port);
  const pipes = acceptPipes(listening.server, login, log);

  let closed: Promise<void> | null = null;
  return {
    port: listening.port,
    close() {
      closed ??= (async () => {
        pipes.close();
        await listening.close();
        await pool.end();
      })();
      return closed;
    },
  };
}
