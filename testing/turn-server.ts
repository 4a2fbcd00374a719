// A real coturn for tests: the configuration of production on the loopback address, gone with the test run.
import { existsSync, readdirSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Child, fromRoot, guardedCommand, startChild } from '../scripts/launch/child.ts';
import { freePort } from '../scripts/launch/free-port.ts';
import { makeCertificate } from './certificate.ts';
import { hasIpv6Loopback } from './loopback.ts';

/** What an example cannot know, and what differs for peers on the same machine. */
const replacedNames = [
  'listening-port',
  'tls-listening-port',
  'static-auth-secret',
  'cert',
  'pkey',
  'allowed-peer-ip',
];

export interface RunningTurnServer {
  port: number;
  tlsPort: number;
  /** Everything that it has said. */
  output: readonly string[];
  /** Kills it, as a crash would, and starts it again. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

/** Starts coturn with `deploy/coturn/turnserver.conf` and these secrets; its peers are on the loopback addresses. */
export async function startTurnServer(secrets: readonly string[]): Promise<RunningTurnServer> {
  const [port, tlsPort, folder] = await Promise.all([
    freePort(),
    freePort(),
    mkdtemp(join(tmpdir(), 'livepanty-turn-')),
  ]);
  const { key, cert } = makeCertificate();
  const example = await readFile(fromRoot('deploy/coturn/turnserver.conf'), 'utf8');
  const kept = example
    .split('\n')
    .filter((line) => !replacedNames.includes(line.split('=', 1)[0] ?? ''));
  const own = [
    'listening-ip=127.0.0.1',
    'relay-ip=127.0.0.1',
    ...(hasIpv6Loopback ? ['relay-ip=::1'] : []),
    `listening-port=${port}`,
    `tls-listening-port=${tlsPort}`,
    ...secrets.map((secret) => `static-auth-secret=${secret}`),
    `cert=${join(folder, 'cert.pem')}`,
    `pkey=${join(folder, 'key.pem')}`,
    'allow-loopback-peers',
    'allowed-peer-ip=127.0.0.1',
    'allowed-peer-ip=::1',
    `userdb=${join(folder, 'users')}`,
    `pidfile=${join(folder, 'pid')}`,
    // Its sockets are told of, and each session.
    'verbose',
  ];
  const file = join(folder, 'turnserver.conf');
  await Promise.all([
    writeFile(join(folder, 'cert.pem'), cert),
    writeFile(join(folder, 'key.pem'), key),
    writeFile(file, [...kept, ...own, ''].join('\n'), { mode: 0o600 }),
  ]);

  const output: string[] = [];
  const sockets = [`UDP.*:${port}`, `TCP.*:${port}`, `TCP.*:${tlsPort}`].map(
    (socket) => new RegExp(`${socket}$`),
  );
  /** Resolves when all its sockets are open. */
  async function start(): Promise<Child> {
    const before = output.length;
    const ready = Promise.withResolvers<void>();
    const command = guardedCommand({
      file: turnserverBin(),
      args: ['-c', file],
      cwd: folder,
      env: {},
      stopSignal: 'SIGTERM',
    });
    const child = startChild(command, (line) => {
      output.push(line);
      const said = output.slice(before);
      if (sockets.every((socket) => said.some((one) => socket.test(one)))) ready.resolve();
    });
    child.ended.then(() => ready.reject(new Error(`turnserver ended:\n${output.join('\n')}`)));
    await ready.promise;
    return child;
  }

  let running = await start();
  return {
    port,
    tlsPort,
    output,
    async restart() {
      await running.kill();
      running = await start();
    },
    async stop() {
      await running.kill();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Named by a variable, or where the set-up for tests keeps it, or the system's. */
function turnserverBin(): string {
  const named = process.env.TURNSERVER_BIN;
  if (named) return named;
  const kept = join(homedir(), '.cache', 'livepanty', 'coturn');
  const systems = existsSync(kept) ? readdirSync(kept) : [];
  const programs = systems.map((system) => join(kept, system, 'usr/bin/turnserver'));
  return programs.find((program) => existsSync(program)) ?? 'turnserver';
}
