// What Cloudflare refuses is found in a script, and what only looks like it is not.
import { expect, test } from 'vitest';
import { workerFaults } from './worker-faults.ts';

test.each([
  ['const f = new Function("a", "return a");', 'code from strings'],
  ['x = eval(text);', 'code from strings'],
  ['await WebAssembly.compile(bytes)', 'WebAssembly compiled from bytes'],
  ['deriveBits({ name: "PBKDF2", salt, iterations: 600000, hash }', 'PBKDF2 of more than'],
  ["deriveBits({ name: 'PBKDF2', salt, iterations: 100_001, hash }", 'PBKDF2 of more than'],
])('%s', (script, what) => {
  expect(workerFaults(script)).toEqual([expect.stringContaining(what)]);
});

test.each([
  'async eval(keys, args) {',
  'eval(script, keys) {',
  'redis.eval(script)',
  'const retrieval(1)',
  'new WebAssembly.Instance(module)',
  'deriveBits({ name: "PBKDF2", salt, iterations: 100000, hash }',
  'deriveBits({ name: "PBKDF2", salt, iterations: 20_000, hash }',
])('%s is taken', (script) => {
  expect(workerFaults(script)).toEqual([]);
});
