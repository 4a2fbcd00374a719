// `node scripts/setup/sfu-bench.mjs`: what the bench of the SFU needs besides the product; prints where it is, as JSON.

import { obtain } from './found.mjs';
import { findJanus } from './janus.mjs';
import { findUpstreamWorker } from './mediasoup-worker.mjs';
import { findReceivers } from './receivers.mjs';
import { exitWith } from './setup-error.mjs';
import { findSharedLibsrtp } from './shared-libsrtp.mjs';

try {
  const found = {
    receivers: findReceivers(),
    janus: findJanus(),
    libsrtp: findSharedLibsrtp(),
    upstreamWorker: findUpstreamWorker(),
  };
  console.log(JSON.stringify(await obtain(found)));
} catch (error) {
  exitWith(error);
}
