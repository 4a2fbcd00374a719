// The bridge's service: everything put together, from the configuration to the open ports.
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import type { Logger } from 'pino';
import type { Caller } from './caller.ts';
import type { BridgeConfig } from './config.ts';
import { createDoorstep } from './doorstep.ts';
import { createEdgeClient } from './edge-client.ts';
import { createHealthServer } from './health.ts';
import { Relay, type RelayDeps } from './relay.ts';
import { type IngestServer, startRtmpServer } from './rtmp/rtmp-server.ts';
import { createSlots } from './slots.ts';
import { loadSrtLibrary } from './srt/library.ts';
import { startSrtServer } from './srt/srt-server.ts';

export interface BridgeService {
  /** Where health is told. */
  readonly url: string;
  readonly rtmpPort: number;
  /** Null where there is no libsrt. */
  readonly srtPort: number | null;
  readonly relays: ReadonlySet<Relay>;
  close(): Promise<void>;
}

export async function startBridge(config: BridgeConfig, log: Logger): Promise<BridgeService> {
  const doorstep = createDoorstep(config.connectionsMax);
  const encoders = createSlots(config.encodersMax);
  const relays = new Set<Relay>();
  const deps: RelayDeps = {
    edge: createEdgeClient(config.edgeUrl, config.addressHeader),
    doorstep,
    encoders,
    ffmpegBin: config.ffmpegBin,
    bitrateMaxBps: config.bitrateMaxBps,
    log,
  };
  const onCaller = (caller: Caller) => {
    const relay = Relay.start(caller, deps);
    relays.add(relay);
    relay.once('end', () => relays.delete(relay));
  };
  const ingest = { address: config.listenAddress, doorstep, onCaller };
  const rtmp = await startRtmpServer({
    ...ingest,
    port: config.rtmpPort,
    proxies: config.rtmpProxies,
  });
  const srt = openSrt(config, log, { ...ingest, port: config.srtPort });
  const health = createHealthServer({
    ffmpegBin: config.ffmpegBin,
    hasSrt: srt !== null,
    figures: () => `${doorstep.connections} connections, ${encoders.taken} encoders`,
  });
  health.listen(config.port, config.host);
  await once(health, 'listening');
  const { port } = health.address() as AddressInfo;

  return {
    url: `http://${config.host}:${port}`,
    rtmpPort: rtmp.port,
    srtPort: srt?.port ?? null,
    relays,
    async close() {
      for (const relay of [...relays]) relay.close('the bridge ends');
      await Promise.all([rtmp.close(), srt?.close()]);
      const closed = once(health, 'close');
      health.close();
      health.closeAllConnections();
      await closed;
    },
  };
}

function openSrt(
  config: BridgeConfig,
  log: Logger,
  options: Parameters<typeof startSrtServer>[1],
): IngestServer | null {
  const library = loadSrtLibrary(config.srtLibrary);
  if (library) return startSrtServer(library, options);
  // Named and not there is a fault; not there at all is a machine without SRT.
  if (config.srtLibrary !== undefined) throw new Error(`no libsrt at ${config.srtLibrary}`);
  log.warn('libsrt was not found: encoders are heard by RTMP only');
  return null;
}
