// Log files: what each part printed, whole, with the file of the run before beside it.
import { createWriteStream, type WriteStream } from 'node:fs';
import { mkdir, rename } from 'node:fs/promises';
import { join } from 'node:path';

/** A part that prints more than this in one run is cut off in its file. */
const fileBytesMax = 50 * 1024 * 1024;

export interface LogFiles {
  folder: string;
  write(part: string, line: string): void;
  close(): Promise<void>;
}

/** Opens the folder of logs; files are made as parts begin to print. */
export async function openLogFiles(folder: string): Promise<LogFiles> {
  await mkdir(folder, { recursive: true });
  const files = new Map<string, { stream: Promise<WriteStream>; bytes: number }>();

  async function open(part: string): Promise<WriteStream> {
    const path = join(folder, `${part}.log`);
    await rename(path, join(folder, `${part}.before.log`)).catch(() => {
      // There was no run before.
    });
    const stream = createWriteStream(path, { mode: 0o600 });
    // A full disk must not end the stack.
    stream.on('error', () => {});
    return stream;
  }

  return {
    folder,
    write(part, line) {
      const file = files.get(part) ?? { stream: open(part), bytes: 0 };
      files.set(part, file);
      if (file.bytes > fileBytesMax) return;
      file.bytes += line.length + 1;
      file.stream.then((stream) => stream.write(`${line}\n`));
    },
    async close() {
      await Promise.all(
        [...files.values()].map(async (file) => {
          const stream = await file.stream;
          await new Promise<void>((resolve) => stream.end(() => resolve()));
        }),
      );
    },
  };
}
