// A part for tests: answers on a port, has a child of its own that outlives nobody, and dies on request.
import { spawn } from 'node:child_process';
import { createServer } from 'node:http';
import { watchParent } from '../../local/lifeline.ts';

const port = Number(process.env.TINY_PORT);
/** A grandchild that watches nothing: only its process group ends it. */
const grandchild = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], {
  stdio: 'ignore',
});
const server = createServer((request, response) => {
  if (request.url === '/die') process.exit(3);
  if (request.url === '/secret') {
    response.end(process.env.TINY_PARENT_SECRET ?? 'nothing');
    return;
  }
  response.end(JSON.stringify({ pid: process.pid, grandchild: grandchild.pid }));
});
server.listen(port, '127.0.0.1', () => console.log('tiny part listens'));

const end = () => {
  console.log('tiny part ends');
  grandchild.kill();
  process.exit(0);
};
process.on('SIGTERM', end);
watchParent(end);
