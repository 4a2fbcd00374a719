// `node scripts/setup/sfu-bench.mjs`: what the bench of the SFU needs besides the product; prints where it is, as JSON.

import { obtain } from './found.mjs';
import { findJanus } from './janus.mjs';
import { findReceivers } from './receivers.mjs';
import { exitWith } from './setup-error.mjs';
import { findSharedLibsrtp } from './shared-libsrtp.mjs';

try {
  const found = {
    receivers: findReceivers(),
    janus: findJanus(),
    libsrtp: findSharedLibsrtp(),
  };
  console.log(JSON.stringify(await obtain(found)));
} catch (error) {
  exitWith(error);
}
