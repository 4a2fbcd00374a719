// An encoder that is not ours: the WHIP client of Debian (package simple-whip-client), on GStreamer.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const program = '/usr/bin/whip-client';
const pluginFolder = '/usr/lib/x86_64-linux-gnu/gstreamer-1.0';
/** Looking through all of them takes seconds. */
const plugins =
  'app audioconvert audioresample audiotestsrc coreelements dtls nice opus rtp rtpmanager sctp srtp typefindfunctions videoconvertscale videoparsersbad videotestsrc vpx webrtc x264'.split(
    ' ',
  );
/**
 * In Debian 12 the program stands on libsoup 2, and its ICE library, by way of one for UPnP, on libsoup 3, which do
 * not go together. No router is asked for ports here, so that an empty library stands in for the one of UPnP.
 */
const noUpnp = `
unsigned long gupnp_simple_igd_get_type(void) { return 0; }
void *gupnp_simple_igd_thread_new(void) { return 0; }
void gupnp_simple_igd_add_port(void) {}
void gupnp_simple_igd_remove_port_local(void) {}
`;

const sound =
  'audiotestsrc is-live=true ! audioconvert ! audioresample ! queue ! opusenc ! rtpopuspay pt=111 ssrc=1 ! queue ! application/x-rtp,media=audio,encoding-name=OPUS,payload=111';
const testPicture =
  'videotestsrc is-live=true ! video/x-raw,width=320,height=180,framerate=10/1 ! videoconvert ! queue';
const pictures = {
  VP8: `${testPicture} ! vp8enc deadline=1 ! rtpvp8pay pt=96 ssrc=2 ! queue ! application/x-rtp,media=video,encoding-name=VP8,payload=96`,
  H264: `${testPicture} ! x264enc tune=zerolatency speed-preset=ultrafast key-int-max=20 ! video/x-h264,profile=constrained-baseline ! rtph264pay config-interval=-1 aggregate-mode=zero-latency pt=96 ssrc=2 ! queue ! application/x-rtp,media=video,encoding-name=H264,payload=96`,
};

export interface GstreamerEncoder {
  /** What it has written so far. */
  said(): string;
  /** Asks it to end, and waits until it has. */
  end(): Promise<void>;
  close(): void;
}

/** Null where it is not installed, or nothing to compile the empty library with. */
export async function prepareGstreamerEncoder() {
  if (!existsSync(program) || spawnSync('cc', ['--version']).status !== 0) return null;
  const folder = await mkdtemp(join(tmpdir(), 'whip-client-'));
  const source = join(folder, 'no-upnp.c');
  const name = 'libgupnp-igd-1.0.so.4';
  await writeFile(source, noUpnp);
  spawnSync('cc', ['-shared', '-fPIC', `-Wl,-soname,${name}`, '-o', join(folder, name), source]);
  for (const plugin of plugins) {
    await symlink(join(pluginFolder, `libgst${plugin}.so`), join(folder, `libgst${plugin}.so`));
  }
  const env = {
    ...process.env,
    LD_LIBRARY_PATH: folder,
    GST_PLUGIN_SYSTEM_PATH_1_0: folder,
    GST_REGISTRY_1_0: join(folder, 'registry'),
  };
  return {
    start(of: { url: string; token: string; codec: keyof typeof pictures }): GstreamerEncoder {
      const { url, token, codec } = of;
      const child = spawn(
        program,
        ['-o', '-u', url, '-t', token, '-A', sound, '-V', pictures[codec]],
        { env, stdio: ['ignore', 'pipe', 'pipe'] },
      );
      let said = '';
      for (const stream of [child.stdout, child.stderr]) {
        stream.setEncoding('utf8').on('data', (text: string) => {
          said += text;
        });
      }
      const exited = once(child, 'exit');
      return {
        said: () => said,
        async end() {
          child.kill('SIGINT');
          await exited;
        },
        close: () => child.kill('SIGKILL'),
      };
    },
  };
}
