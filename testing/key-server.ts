// A key set that is published over HTTP, for verifiers, with its private half for whoever signs.
import { once } from 'node:events';
import { createServer } from 'node:http';
import { exportJWK, generateKeyPair } from 'jose';
import { z } from 'zod';

const Jwk = z.looseObject({ kid: z.string(), x: z.string(), d: z.string() });

export interface KeyServer {
  /** Of an edge that publishes the key. */
  url: string;
  /** The private JWK. */
  jwk: z.infer<typeof Jwk>;
  close(): void;
}

export async function startKeyServer(): Promise<KeyServer> {
  const { privateKey } = await generateKeyPair('Ed25519', { extractable: true });
  const jwk = Jwk.parse({ ...(await exportJWK(privateKey)), kid: 'a', alg: 'EdDSA', use: 'sig' });
  const { d: _, ...published } = jwk;
  const server = createServer((_request, response) => {
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ keys: [published] }));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return {
    url: `http://127.0.0.1:${address.port}`,
    jwk,
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}
