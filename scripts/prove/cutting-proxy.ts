// A proxy that loses answers: it carries every request to the API, waits until the API has answered, and then
// cuts the connection to whoever asked. What was asked for has been done, and nobody was told.
import { Agent, createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface CuttingProxy {
  url: string;
  /** Answers of the API that were lost here. */
  readonly cut: number;
  close(): Promise<void>;
}

export async function startCuttingProxy(apiUrl: string): Promise<CuttingProxy> {
  const target = new URL(apiUrl);
  const agent = new Agent({ keepAlive: true });
  let cut = 0;
  const server = createServer((incoming, outgoing) => {
    const forwarded = request(
      {
        host: target.hostname,
        port: target.port,
        path: incoming.url,
        method: incoming.method,
        headers: incoming.headers,
        agent,
      },
      (answer) => {
        answer.resume();
        answer.on('close', () => {
          if (answer.statusCode === 201) cut += 1;
          outgoing.destroy();
        });
      },
    );
    forwarded.on('error', () => outgoing.destroy());
    incoming.pipe(forwarded);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    get cut() {
      return cut;
    },
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
        agent.destroy();
      }),
  };
}
