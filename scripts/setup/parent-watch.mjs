// Loaded into each Node process that we start (`node --import`): ends it when whoever started it is gone.
//
// The process holds the reading end of a pipe, named by LIVEPANTY_PARENT_PIPE, into which nothing is
// ever written. The end of it means that the parent has closed it or is gone, even by a SIGKILL, since
// the kernel then closes its side. What the process sees of that is a SIGTERM like any other.

import { Socket } from 'node:net';

/** A little more than any of our processes gives itself for an orderly end. */
const KILL_MILLISECONDS = 7000;

const fd = process.env.LIVEPANTY_PARENT_PIPE;
// Not for the processes that this one starts in turn: their descriptor 3 is something else.
delete process.env.LIVEPANTY_PARENT_PIPE;

if (fd) {
  const pipe = new Socket({ fd: Number(fd), readable: true, writable: false });
  pipe.on('error', () => {}); // `close` follows.
  pipe.once('close', end);
  pipe.resume();
  pipe.unref(); // Watching is no reason to go on running.
}

function end() {
  // Nobody is left to clear up behind us, so our process group, if we lead one, ends with us.
  if (leadsGroup()) process.once('exit', kill);
  setTimeout(kill, KILL_MILLISECONDS).unref();
  if (process.listenerCount('SIGTERM') > 0) process.kill(process.pid, 'SIGTERM');
  else kill();
}

function kill() {
  process.kill(leadsGroup() ? -process.pid : process.pid, 'SIGKILL');
}

/** A group has the id of the process that leads it. */
function leadsGroup() {
  try {
    return process.kill(-process.pid, 0);
  } catch {
    return false; // There is no such group.
  }
}
