// Ports: who listens where, what sets it, and whether it is free.
import { createSocket } from 'node:dgram';
import { createServer } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { StartRefused } from '../local/environment.ts';
import { freePort } from './free-port.ts';

const table = {
  edge: { port: 8787, of: 'the edge' },
  sfu: { port: 4400, of: 'the SFU node' },
  media: { port: 44_400, of: 'the media of the SFU node' },
  sfu2: { port: 4401, of: 'the second SFU node' },
  media2: { port: 44_500, of: 'the media of the second SFU node' },
  transcoder: { port: 4500, of: 'the transcoder' },
  bridge: { port: 4650, of: 'the health of the bridge' },
  rtmp: { port: 1935, of: 'the RTMP of the bridge' },
  srt: { port: 9000, of: 'the SRT of the bridge' },
  jobs: { port: 4600, of: 'the job runner' },
  sandbox: { port: 4700, of: 'the payment sandbox' },
  mailbox: { port: 4800, of: 'the mailbox' },
  smtp: { port: 4825, of: "the mailbox's SMTP" },
  postgres: { port: 54_320, of: 'PostgreSQL' },
  neon: { port: 54_321, of: 'the stand-in for Neon' },
  redis: { port: 63_790, of: 'Redis' },
  upstash: { port: 63_791, of: 'the stand-in for Upstash' },
} as const;

export type PortName = keyof typeof table;
export type Ports = Record<PortName, number>;
export const portNames = Object.keys(table) as PortName[];

/** The variable that sets a port. */
export function portVariable(name: PortName): string {
  return `LIVEPANTY_PORT_${name.toUpperCase()}`;
}

/** The ports that `npm start` uses unless told otherwise. */
export function usualPort(name: PortName): number {
  return table[name].port;
}

/** A set of ports that were all free a moment ago. */
export async function freePorts(): Promise<Ports> {
  const taken = new Set<number>();
  const ports: Partial<Ports> = {};
  for (const name of portNames) {
    const port = await freePort(taken);
    taken.add(port);
    ports[name] = port;
  }
  return portsOf((name) => ports[name]);
}

/** A port for each name; the usual one where `portOf` knows none. */
export function portsOf(portOf: (name: PortName) => number | undefined): Ports {
  const ports: Partial<Ports> = {};
  for (const name of portNames) ports[name] = portOf(name) ?? usualPort(name);
  return ports as Ports;
}

/**
 * Makes sure that nobody listens on the ports that are going to be used.
 * @param patienceMs how long to wait for a taken one: the remains of a killed run need a moment to go
 * @throws StartRefused that names each taken port, the part that wants it and the variable that sets it
 */
export async function assertFree(
  ports: Ports,
  names: PortName[],
  patienceMs: number,
): Promise<void> {
  const doubled = names.filter((name, at) =>
    names.some((n, i) => i < at && ports[n] === ports[name]),
  );
  if (doubled.length > 0) {
    throw new StartRefused(
      `Two parts cannot share a port: see ${doubled.map(portVariable).join(', ')}.`,
    );
  }
  const deadline = Date.now() + patienceMs;
  for (;;) {
    const taken = (
      await Promise.all(
        names.map(async (name) => ({ name, why: await whyTaken(name, ports[name]) })),
      )
    ).filter(({ why }) => why !== null);
    if (taken.length === 0) return;
    if (Date.now() < deadline) {
      await delay(100);
      continue;
    }
    const lines = taken.map(
      ({ name, why }) =>
        `Port ${ports[name]}, which ${table[name].of} needs, ${why}; ${portVariable(name)} or --port-${name} sets another one.`,
    );
    throw new StartRefused(lines.join('\n'));
  }
}

async function whyTaken(name: PortName, port: number): Promise<string | null> {
  try {
    const { close } = await listen(port);
    await close();
    if (name === 'media' || name === 'srt') await bindUdp(port);
    return null;
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : '';
    return code === 'EACCES' ? 'is reserved for the system' : 'is taken by another program';
  }
}

function listen(port: number): Promise<{ port: number; close(): Promise<void> }> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => {
      const address = server.address();
      resolve({
        port: typeof address === 'object' && address ? address.port : port,
        close: () => new Promise((closed) => server.close(() => closed())),
      });
    });
  });
}

function bindUdp(port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = createSocket('udp4');
    socket.once('error', reject);
    socket.bind(port, '127.0.0.1', () => socket.close(() => resolve()));
  });
}
