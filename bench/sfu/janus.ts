// Janus as a peer: Debian's program with its streaming plugin, in its fast mode of one event loop for all viewers.
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Command, guardedCommand, startChild } from '../../scripts/launch/child.ts';
import { freePort } from '../../scripts/launch/free-port.ts';
import { cpuSecondsOf } from '../../testing/cpu-time.ts';
import { audioPayloadType, videoPayloadType } from '../../testing/receivers/plain-source.ts';
import { monotonicMs, newIceCredentials } from '../../testing/receivers/receivers.ts';
import { answerTo, readOffer } from './janus-sdp.ts';
import { JanusSession } from './janus-session.ts';
import type { Peer, PeerDeps, Viewer } from './peer.ts';

const readyTimeoutMs = 20_000;
const readyAskMs = 50;
const mountpoint = 1;

export async function startJanus(deps: PeerDeps): Promise<Peer> {
  const folder = await mkdtemp(join(tmpdir(), 'livepanty-janus-'));
  const ports = {
    socket: await freePort(),
    audioPort: await freePort(),
    videoPort: await freePort(),
  };
  const lines: string[] = [];
  const command = await prepare(folder, ports, deps);
  const janus = startChild(command, (line) => lines.push(line));
  const session = await open(ports.socket).catch(async (error: Error) => {
    await janus.kill();
    throw new Error(`Janus: ${error.message}\n${lines.slice(-20).join('\n')}`);
  });
  const receivers = await deps.startReceivers();

  async function watch(): Promise<Viewer> {
    const requestedAtMs = monotonicMs();
    const handle = await session.attach('janus.plugin.streaming');
    const offer = readOffer(await session.ask(handle, { request: 'watch', id: mountpoint }));
    const own = newIceCredentials();
    const answer = answerTo(offer, own, receivers.fingerprint);
    await session.answer(handle, { request: 'start' }, answer);
    const receiver = receivers.add(offer.server, own);
    return {
      receiver,
      requestedAtMs,
      ssrcs: offer.ssrcs,
      leave() {
        receiver.remove();
        session.detach(handle);
      },
    };
  }

  return {
    name: 'janus',
    receivers,
    ports,
    join: watch,
    cpuSeconds: () => cpuSecondsOf(janus),
    fault: async () => null,
    async close() {
      session.close();
      await janus.stop();
      await receivers.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function open(port: number): Promise<JanusSession> {
  const deadline = performance.now() + readyTimeoutMs;
  for (;;) {
    try {
      return await JanusSession.open(`ws://127.0.0.1:${port}`);
    } catch (error) {
      if (performance.now() > deadline) throw error;
      await new Promise((resolve) => setTimeout(resolve, readyAskMs));
    }
  }
}

interface JanusPorts {
  socket: number;
  audioPort: number;
  videoPort: number;
}

/** Writes its settings, with no plugin but the one that is needed, and answers with how it is started. */
async function prepare(folder: string, ports: JanusPorts, deps: PeerDeps): Promise<Command> {
  const { janusDir, libsrtpDir } = deps;
  for (const name of ['plugins', 'transports', 'events', 'loggers']) {
    await mkdir(join(folder, name));
  }
  const libraries = join(janusDir, 'usr/lib', libraryFolder(), 'janus');
  for (const library of ['plugins/libjanus_streaming.so', 'transports/libjanus_websockets.so']) {
    await symlink(join(libraries, library), join(folder, library));
  }
  for (const [name, text] of Object.entries(settingsOf(folder, ports))) {
    await writeFile(join(folder, `${name}.jcfg`), text);
  }
  const program = deps.pinned({
    file: join(janusDir, 'usr/bin/janus'),
    args: ['--configs-folder', folder],
    cwd: folder,
    env: {
      LD_PRELOAD: join(janusDir, 'loopback.so'),
      ...(libsrtpDir === null ? {} : { LD_LIBRARY_PATH: libsrtpDir }),
    },
  });
  const { file, args, cwd, env } = program;
  return guardedCommand({ file, args, cwd, env, stopSignal: 'SIGTERM' });
}

/** Where Debian keeps the libraries of this processor. */
function libraryFolder(): string {
  return process.arch === 'arm64' ? 'aarch64-linux-gnu' : 'x86_64-linux-gnu';
}

function settingsOf(folder: string, ports: JanusPorts): Record<string, string> {
  return {
    janus: `
      general: {
        configs_folder = "${folder}"
        plugins_folder = "${folder}/plugins"
        transports_folder = "${folder}/transports"
        events_folder = "${folder}/events"
        loggers_folder = "${folder}/loggers"
        debug_level = 3
        event_loops = 1
        session_timeout = 0
      }
      media: { ipv6 = false }
      nat: { ice_enforce_list = "127.0.0.1" }
    `,
    'janus.transport.websockets': `
      general: { json = "compact", ws = true, ws_port = ${ports.socket}, ws_ip = "127.0.0.1" }
    `,
    'janus.plugin.streaming': `
      broadcast: {
        type = "rtp"
        id = ${mountpoint}
        media = (
          {
            type = "audio", mid = "a", port = ${ports.audioPort}, pt = ${audioPayloadType}, codec = "opus"
          },
          {
            type = "video", mid = "v", port = ${ports.videoPort}, pt = ${videoPayloadType}, codec = "h264",
            fmtp = "packetization-mode=1;profile-level-id=42e01f"
          }
        )
      }
    `,
  };
}
