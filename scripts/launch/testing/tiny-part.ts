// A part for tests: answers on a port, has a child of its own that outlives nobody, and misbehaves on request.
import { spawn } from 'node:child_process';
import { createServer } from 'node:http';

const port = Number(process.env.TINY_PORT);
/** A grandchild that watches nothing: only its process group ends it. */
const grandchild = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], {
  stdio: 'ignore',
});
let isReady = true;
let isStubborn = false;
const server = createServer((request, response) => {
  switch (request.url) {
    case '/die':
      process.exit(3);
      break;
    case '/secret':
      response.end(process.env.TINY_PARENT_SECRET ?? 'nothing');
      break;
    case '/unready':
      isReady = false;
      response.end();
      break;
    case '/recover':
      isReady = true;
      response.end();
      break;
    case '/stubborn':
      isStubborn = true;
      response.end();
      break;
    default:
      response.statusCode = isReady ? 200 : 503;
      response.end(JSON.stringify({ pid: process.pid, grandchild: grandchild.pid }));
  }
});
server.listen(port, '127.0.0.1', () => console.log('tiny part listens'));

process.on('SIGTERM', () => {
  console.log('tiny part ends');
  if (!isStubborn) process.exit(0);
});
