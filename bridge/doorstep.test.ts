// The doorstep: how many come in, and for how long a line that guessed stays outside.
import { expect, test } from 'vitest';
import { createDoorstep } from './doorstep.ts';
import {
  connectionsPerLineMax,
  keylessConnectionsMax,
  wrongKeysMax,
  wrongKeysWindowMs,
} from './limits.ts';

const lineAt = (n: number) => `203.0.${Math.floor(n / 256)}.${n % 256}`;
const ignore = () => undefined;

test('has so many places, and fewer for one line; each is given back once', () => {
  const doorstep = createDoorstep(connectionsPerLineMax + 1);
  const enter = (address: string) => doorstep.enterWithKey(address);
  const leave = Array.from({ length: connectionsPerLineMax }, () => enter(lineAt(1)));
  expect(leave).not.toContain(null);
  expect(enter(lineAt(1))).toBeNull();
  expect(doorstep.enter(lineAt(1), ignore)).toBeNull();
  expect(enter(lineAt(2))).not.toBeNull();
  expect(enter(lineAt(3))).toBeNull();
  leave[0]?.();
  leave[0]?.();
  expect(doorstep.connections).toBe(connectionsPerLineMax);
  expect(enter(lineAt(1))).not.toBeNull();
});

test('connections without a key take no place from those with one, and the oldest gives way', () => {
  const doorstep = createDoorstep(1);
  const ended: number[] = [];
  const places = Array.from({ length: keylessConnectionsMax + 1 }, (_, n) =>
    doorstep.enter(lineAt(n), () => ended.push(n)),
  );
  expect(places).not.toContain(null);
  expect(ended).toEqual([0]);
  expect(doorstep.connections).toBe(keylessConnectionsMax);
  expect(places[0]?.showKey()).toBe(false);
  expect(places.at(-1)?.showKey()).toBe(true);
  expect(places.at(-2)?.showKey()).toBe(false);
  expect(doorstep.enterWithKey(lineAt(999))).toBeNull();
  // Whoever has shown a key does not give way any more.
  for (let n = 0; n < keylessConnectionsMax; n += 1) doorstep.enter(lineAt(500 + n), ignore);
  expect(ended).not.toContain(keylessConnectionsMax);
  places.at(-1)?.leave();
  places.at(-1)?.leave();
  expect(doorstep.enterWithKey(lineAt(999))).not.toBeNull();
});

test('a place without a key is given back to its line', () => {
  const doorstep = createDoorstep(1);
  const enter = () => doorstep.enter(lineAt(1), ignore);
  const places = Array.from({ length: connectionsPerLineMax }, enter);
  expect(enter()).toBeNull();
  places[0]?.leave();
  places[0]?.leave();
  expect(enter()).not.toBeNull();
  expect(enter()).toBeNull();
  expect(doorstep.connections).toBe(connectionsPerLineMax);
});

test('lets nobody in who has shown too many wrong keys, until the time is over', () => {
  let nowMs = 0;
  const doorstep = createDoorstep(10, () => nowMs);
  for (let guess = 0; guess < wrongKeysMax; guess += 1) doorstep.countWrongKey('203.0.113.9');
  expect(doorstep.enter('203.0.113.9', ignore)).toBeNull();
  expect(doorstep.enterWithKey('203.0.113.9')).toBeNull();
  expect(doorstep.enterWithKey('203.0.113.8')).not.toBeNull();
  nowMs += wrongKeysWindowMs + 1;
  expect(doorstep.enterWithKey('203.0.113.9')).not.toBeNull();
});
