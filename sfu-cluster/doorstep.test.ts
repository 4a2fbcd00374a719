// Tests of the doorstep: nobody can stand in everybody's way.
import { expect, test } from 'vitest';
import { createDoorstep } from './doorstep.ts';

const limits = { waitingMax: 5, waitingPerLineMax: 2 };

test('one line has few places, and the others keep theirs', () => {
  const doorstep = createDoorstep(limits);
  expect(doorstep.enter('2001:db8::1')).not.toBeNull();
  const leave = doorstep.enter('2001:db8::2');
  expect(doorstep.enter('2001:db8::3')).toBeNull();
  expect(doorstep.enter('203.0.113.5')).not.toBeNull();
  leave?.();
  leave?.();
  expect(doorstep.enter('2001:db8::3')).not.toBeNull();
  expect(doorstep.enter('2001:db8::4')).toBeNull();
});

test('many lines together, and those behind a proxy of ours, have all places there are', () => {
  const doorstep = createDoorstep(limits);
  for (let place = 0; place < 5; place += 1) expect(doorstep.enter('10.0.0.1')).not.toBeNull();
  expect(doorstep.enter('10.0.0.1')).toBeNull();
  expect(doorstep.enter('203.0.113.5')).toBeNull();
});
