// Loaded into a child that does not watch the pipe from its parent itself (see product-process.mjs).

import { Socket } from 'node:net';

const fd = process.env.LIVEPANTY_PARENT_PIPE;
// Not for the processes that this one starts in turn: their descriptor 3 is something else.
delete process.env.LIVEPANTY_PARENT_PIPE;

if (fd) {
  const pipe = new Socket({ fd: Number(fd), readable: true, writable: false });
  pipe.on('end', () => process.kill(process.pid, 'SIGTERM'));
  pipe.on('error', () => process.kill(process.pid, 'SIGTERM'));
  pipe.resume();
  pipe.unref(); // Watching is no reason to go on running.
}
