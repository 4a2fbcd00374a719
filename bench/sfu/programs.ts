// Programs that the bench of the SFU needs besides the product, as the set-up brings them.
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { z } from 'zod';
import { fromRoot } from '../../scripts/launch/child.ts';
import { mediaWorkerBin } from '../../sfu-cluster/testing/worker-bin.ts';
import type { PeerDeps } from './peer.ts';

const Paths = z.object({ janus: z.string(), libsrtp: z.string() });

export async function obtainPrograms(): Promise<Pick<PeerDeps, 'janusDir' | 'libsrtpDir'>> {
  const ran = promisify(execFile)(process.execPath, [fromRoot('scripts/setup/sfu-bench.mjs')]);
  ran.child.stderr?.pipe(process.stderr);
  const { janus, libsrtp } = Paths.parse(JSON.parse((await ran).stdout));
  return {
    janusDir: join(dirname(janus), '../..'),
    // Whatever encrypts for the worker encrypts for its peers: on OpenSSL in all workers but one kind.
    libsrtpDir: (await workerOrigin()).includes("the system's libsrtp") ? null : dirname(libsrtp),
  };
}

/** What the set-up has noted of the worker; nothing when it is not from there. */
async function workerOrigin(): Promise<string> {
  const bin = mediaWorkerBin();
  return bin ? readFile(join(dirname(bin), 'origin.txt'), 'utf8').catch(() => '') : '';
}
