// Key files: SRTP keys for ffmpeg, in files that nobody else can read and that go as soon as they were read.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import * as path from 'node:path';

export interface KeyFiles {
  readonly paths: string[];
  remove(): Promise<void>;
}

export async function writeKeyFiles(keysBase64: readonly string[]): Promise<KeyFiles> {
  // Made with mode 0700.
  const folder = await mkdtemp(path.join(tmpdir(), 'livepanty-bridge-'));
  const paths = keysBase64.map((_, index) => path.join(folder, `${index}.ffpreset`));
  await Promise.all(
    paths.map((file, index) =>
      writeFile(file, `srtp_out_params=${keysBase64[index]}\n`, { mode: 0o600 }),
    ),
  );
  return {
    paths,
    async remove() {
      // What cannot be removed is of no use to anybody: the keys are of one publication.
      await rm(folder, { recursive: true, force: true }).catch(() => undefined);
    },
  };
}
