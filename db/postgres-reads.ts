// Reads over the PostgreSQL protocol: sent one behind the other on few connections, without waiting for answers.
import { Socket } from 'node:net';
import { DrizzleQueryError } from 'drizzle-orm/errors';
import pg from 'pg';
import { statementTimeoutMs } from './postgres.ts';
import type { ReadStatement, Reads, ReadValues } from './reads.ts';

const connectionsMax = 2;
const connectTimeoutMs = 5_000;
/** Waiting for an answer on one connection; beyond it whoever comes is refused as if nobody were there. */
const waitingMax = 2_000;

export interface PooledReads extends Reads {
  close(): Promise<void>;
}

/** A connection is made with the first read, and made anew with the next one when it breaks. */
export function connectReads(
  url: string,
  options: { onError?: (error: Error) => void } = {},
): PooledReads {
  const lines: (Line | undefined)[] = Array.from({ length: connectionsMax });
  let turn = 0;

  function line(): Line {
    turn = (turn + 1) % connectionsMax;
    const at = turn;
    const living =
      lines[at] ??
      openLine(url, (error) => {
        lines[at] = undefined;
        if (error) options.onError?.(error);
      });
    lines[at] = living;
    return living;
  }

  /** Unanswered questions that are shared; no more than may wait on the lines. */
  const asked = new Map<string, Promise<string>>();

  const one = (statement: ReadStatement, values: ReadValues) => line().read(statement, values);

  return {
    one,
    shared(statement, values) {
      const question = JSON.stringify([statement.name, ...values]);
      const known = asked.get(question);
      if (known) return known;
      const answer = one(statement, values).finally(() => asked.delete(question));
      asked.set(question, answer);
      return answer;
    },
    async close() {
      await Promise.all(lines.map((living) => living?.close()));
    },
  };
}

type Line = ReturnType<typeof openLine>;

function openLine(url: string, onEnd: (error: Error | null) => void) {
  const socket = new Socket();
  const client = new pg.Client({
    connectionString: url,
    stream: () => socket,
    pipeline: true,
    connectionTimeoutMillis: connectTimeoutMs,
    statement_timeout: statementTimeoutMs,
    keepAlive: true,
    application_name: 'livepanty-reads',
  });
  let waiting = 0;
  client.on('error', onEnd);
  client.on('end', () => onEnd(null));
  let isConnected = false;
  const connected = client.connect();
  // Whoever reads hears of a failure by themselves.
  connected.then(() => {
    isConnected = true;
  }, onEnd);

  let isGathering = false;
  /** Holds back what is written until all that came at this moment has been: one write for many reads, and no delay. */
  function gather(): void {
    if (isGathering) return;
    isGathering = true;
    socket.cork();
    setImmediate(() => {
      isGathering = false;
      socket.uncork();
    });
  }

  return {
    async read({ name, text }: ReadStatement, values: ReadValues): Promise<string> {
      if (waiting >= waitingMax) throw new Error('timeout exceeded when trying to connect');
      waiting += 1;
      try {
        if (!isConnected) await connected;
        gather();
        const { rows } = await client.query<[string]>({
          name,
          text,
          values: [...values],
          rowMode: 'array',
        });
        const value = rows[0]?.[0];
        if (typeof value !== 'string') throw new Error(`"${name}" has answered no text`);
        return value;
      } catch (error) {
        // As other queries tell of it, so that whoever answers knows what to say.
        throw new DrizzleQueryError(text, [], error instanceof Error ? error : undefined);
      } finally {
        waiting -= 1;
      }
    },
    close: () => client.end(),
  };
}
