// A launcher for tests, to be killed: brings up two tiny parts and says so.
import { Supervisor } from '../supervisor.ts';
import { tinyForeignPart, tinyPart } from './tiny-parts.ts';

const [port, foreignPort] = process.argv.slice(2).map(Number);
const supervisor = Supervisor.create({
  parts: [tinyPart('tiny', port ?? 0), tinyForeignPart('foreign', foreignPort ?? 0)],
  steps: [],
});
await supervisor.start();
console.log('ready');
