// The WHIP client of Debian, on GStreamer: an encoder that is not ours, by which tests publish.

import { existsSync } from 'node:fs';
import { chmod, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { cachePath, inPlace } from './cache.mjs';
import { command } from './command.mjs';
import { fromEnvironment, isExecutable, onPath } from './executable.mjs';
import { platform, systemName } from './places.mjs';

const PROGRAM = 'whip-client';
const INSTALLED = '/usr/bin/whip-client';
const PACKAGE = 'simple-whip-client';
/** The one system whose package was tried; elsewhere the tests that need it are left out. */
const SYSTEM = 'debian12';
/** Raise it whenever the folder would be another one. */
const RECIPE = 1;
const NO_UPNP = 'libgupnp-igd-1.0.so.4';
const noUpnpSource = fileURLToPath(new URL('whip-client-no-upnp.c', import.meta.url));
/** Where Debian keeps libraries, by Node's names of processors. */
const LIBRARIES = /** @type {Record<string, string>} */ ({
  x64: '/usr/lib/x86_64-linux-gnu',
  arm64: '/usr/lib/aarch64-linux-gnu',
});
/** GStreamer's plugins that it needs: a look through all of them takes seconds. */
const PLUGINS =
  'app audioconvert audioresample audiotestsrc coreelements dtls nice opus rtp rtpmanager sctp srtp typefindfunctions videoconvertscale videoparsersbad videotestsrc vpx webrtc x264';

/** It finds beside itself what it is to load before anything of the system. */
const WRAPPER = `#!/bin/sh
here=$(dirname "$0")
LD_LIBRARY_PATH=$here GST_PLUGIN_SYSTEM_PATH_1_0=$here GST_REGISTRY_1_0=$here/registry
export LD_LIBRARY_PATH GST_PLUGIN_SYSTEM_PATH_1_0 GST_REGISTRY_1_0
exec ${INSTALLED} "$@"
`;

/** @returns {boolean} whether the tests of this system go with it */
export function hasWhipClient() {
  return systemName() === SYSTEM && process.arch in LIBRARIES;
}

/** @returns {string} where it is, or belongs */
export function whipClientPath() {
  return fromEnvironment('WHIP_CLIENT_BIN') ?? join(folder(), PROGRAM);
}

function folder() {
  return cachePath('whip-client', `${platform}-${systemName()}-r${RECIPE}`);
}

/** @returns {import('./found.mjs').Found} */
export function findWhipClient() {
  const path = whipClientPath();
  const packages = [
    ...(existsSync(INSTALLED) ? [] : [PACKAGE]),
    ...(onPath('cc') ? [] : ['gcc', 'libc6-dev']),
  ];
  if (isExecutable(path) && existsSync(INSTALLED)) return { path };
  return { packages, make };
}

/** @returns {Promise<string>} */
async function make() {
  await inPlace(folder(), PROGRAM, async (scratch) => {
    const library = join(scratch, NO_UPNP);
    const flags = ['-shared', '-fPIC', `-Wl,-soname,${NO_UPNP}`, '-o', library];
    await command('cc', [...flags, noUpnpSource], {
      log: 'whip-client',
      failure: 'What the WHIP client of the tests needs could not be built.',
    });
    for (const plugin of PLUGINS.split(' ')) {
      const file = `libgst${plugin}.so`;
      await symlink(
        join(LIBRARIES[process.arch] ?? '', 'gstreamer-1.0', file),
        join(scratch, file),
      );
    }
    await writeFile(join(scratch, PROGRAM), WRAPPER);
    await chmod(join(scratch, PROGRAM), 0o755);
    return true;
  });
  return whipClientPath();
}
