// Load: requests over kept connections, as many as go, or at a steady pace.
import { setTimeout as delay } from 'node:timers/promises';
import { type Connection, openConnection } from './connection.ts';

export interface Wish {
  path: string;
  token: string | null;
}

export function createLoad(url: string, connectionsMax: number) {
  const { hostname, port } = new URL(url);
  const all = new Set<Connection>();
  /** In the order in which they became free, so that a server closes none as idle while there is load. */
  const free: Connection[] = [];
  const queue: ((connection: Connection) => void)[] = [];

  function take(): Connection | Promise<Connection> {
    for (let known = free.shift(); known; known = free.shift()) {
      if (known.isOpen) return known;
      all.delete(known);
    }
    if (all.size >= connectionsMax) return new Promise((resolve) => queue.push(resolve));
    const made = openConnection(hostname, Number(port));
    all.add(made);
    return made;
  }

  function giveBack(connection: Connection): void {
    const next = queue.shift();
    if (next) next(connection);
    else free.push(connection);
  }

  /** Rejects for every answer but a good one. */
  async function send({ path, token }: Wish): Promise<void> {
    const connection = await take();
    const authorization = token === null ? '' : `Authorization: Bearer ${token}\r\n`;
    try {
      await connection.ask(
        `GET ${path} HTTP/1.1\r\nHost: ${hostname}:${port}\r\n${authorization}\r\n`,
      );
    } catch (error) {
      throw new Error(`${url}${path}: ${(error as Error).message}`);
    }
    giveBack(connection);
  }

  return {
    send,
    /** Each client sends the next as soon as it has an answer. Answers how many were sent, and for how long. */
    async closedLoop(
      wish: () => Wish,
      clients: number,
      ms: number,
    ): Promise<{ requests: number; seconds: number }> {
      const beganAt = performance.now();
      let requests = 0;
      await Promise.all(
        Array.from({ length: clients }, async () => {
          while (performance.now() - beganAt < ms) {
            await send(wish());
            requests += 1;
          }
        }),
      );
      return { requests, seconds: (performance.now() - beganAt) / 1000 };
    },
    /** Delays in milliseconds, each counted from when the request was due, so that none is left out of the account. */
    async steady(wish: () => Wish, perSecond: number, seconds: number): Promise<number[]> {
      const delays: number[] = [];
      const pending: Promise<void>[] = [];
      const beganAt = performance.now();
      for (let index = 0; index < perSecond * seconds; index += 1) {
        const dueAt = beganAt + (index * 1000) / perSecond;
        const waitMs = dueAt - performance.now();
        if (waitMs > 1) await delay(waitMs);
        pending.push(
          send(wish()).then(() => {
            delays.push(performance.now() - dueAt);
          }),
        );
      }
      await Promise.all(pending);
      return delays;
    },
    close: () => {
      for (const connection of all) connection.close();
    },
  };
}
