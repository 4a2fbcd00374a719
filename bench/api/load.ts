// Load: requests over kept connections, as many as go, or at a steady pace.
import { Agent, request } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';

export interface Wish {
  path: string;
  token: string | null;
}

export function createLoad(url: string, socketsMax: number) {
  const agent = new Agent({ keepAlive: true, maxSockets: socketsMax });
  const { hostname, port } = new URL(url);

  /** Rejects for every answer but a good one. */
  function send({ path, token }: Wish): Promise<void> {
    return new Promise((resolve, reject) => {
      const sent = request(
        {
          hostname,
          port,
          path,
          agent,
          headers: token === null ? {} : { authorization: `Bearer ${token}` },
        },
        (answer) => {
          let text = '';
          if (answer.statusCode === 200) answer.resume();
          else answer.on('data', (chunk) => (text += chunk));
          answer.on('error', reject);
          answer.on('end', () => {
            if (answer.statusCode === 200) resolve();
            else reject(new Error(`${url}${path} answered ${answer.statusCode}: ${text}`));
          });
        },
      );
      sent.on('error', reject);
      sent.end();
    });
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
      const beganAt = performance.now();
      const delays: Promise<number>[] = [];
      for (let index = 0; index < perSecond * seconds; index += 1) {
        const dueAt = beganAt + (index * 1000) / perSecond;
        const waitMs = dueAt - performance.now();
        if (waitMs > 1) await delay(waitMs);
        delays.push(send(wish()).then(() => performance.now() - dueAt));
      }
      return Promise.all(delays);
    },
    close: () => agent.destroy(),
  };
}
