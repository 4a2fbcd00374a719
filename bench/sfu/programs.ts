// Programs that the bench of the SFU needs besides the product, as the set-up brings them.
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { z } from 'zod';
import { fromRoot } from '../../scripts/launch/child.ts';
import { mediaWorkerBin } from '../../sfu-cluster/testing/worker-bin.ts';
import type { PeerDeps } from './peer.ts';

const Paths = z.object({ janus: z.string(), libsrtp: z.string(), upstreamWorker: z.string() });

export interface Programs extends Pick<PeerDeps, 'janusDir' | 'libsrtpDir' | 'upstreamWorkerBin'> {
  /** What the set-up has noted of the worker of each peer. */
  workers: { ours: string; bare: string };
}

export async function obtainPrograms(): Promise<Programs> {
  const ran = promisify(execFile)(process.execPath, [fromRoot('scripts/setup/sfu-bench.mjs')]);
  ran.child.stderr?.pipe(process.stderr);
  const { janus, libsrtp, upstreamWorker } = Paths.parse(JSON.parse((await ran).stdout));
  const workers = {
    ours: await originOf(mediaWorkerBin()),
    bare: await originOf(upstreamWorker),
  };
  return {
    janusDir: join(dirname(janus), '../..'),
    // Whatever encrypts for the worker encrypts for its peers: on OpenSSL in all workers but one kind.
    libsrtpDir: workers.ours.includes("the system's libsrtp") ? null : dirname(libsrtp),
    upstreamWorkerBin: upstreamWorker,
    workers,
  };
}

/** Of a worker that is not from the set-up nothing is known. */
async function originOf(bin: string | undefined): Promise<string> {
  const noted = bin && (await readFile(join(dirname(bin), 'origin.txt'), 'utf8').catch(() => ''));
  return noted ? noted.trim() : 'unknown';
}
