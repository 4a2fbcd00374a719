// The doorstep: how many come in, and for how long a line that guessed stays outside.
import { expect, test } from 'vitest';
import { createDoorstep } from './doorstep.ts';
import { connectionsPerLineMax, wrongKeysMax, wrongKeysWindowMs } from './limits.ts';

test('has so many places, and fewer for one line; each is given back once', () => {
  const doorstep = createDoorstep(connectionsPerLineMax + 1);
  const leave = Array.from({ length: connectionsPerLineMax }, () => doorstep.enter('203.0.113.1'));
  expect(leave).not.toContain(null);
  expect(doorstep.enter('203.0.113.1')).toBeNull();
  expect(doorstep.enter('203.0.113.2')).not.toBeNull();
  expect(doorstep.enter('203.0.113.3')).toBeNull();
  leave[0]?.();
  leave[0]?.();
  expect(doorstep.connections).toBe(connectionsPerLineMax);
  expect(doorstep.enter('203.0.113.1')).not.toBeNull();
});

test('lets nobody in who has shown too many wrong keys, until the time is over', () => {
  let nowMs = 0;
  const doorstep = createDoorstep(10, () => nowMs);
  for (let guess = 0; guess < wrongKeysMax; guess += 1) doorstep.countWrongKey('203.0.113.9');
  expect(doorstep.enter('203.0.113.9')).toBeNull();
  expect(doorstep.enter('203.0.113.8')).not.toBeNull();
  nowMs += wrongKeysWindowMs + 1;
  expect(doorstep.enter('203.0.113.9')).not.toBeNull();
});
