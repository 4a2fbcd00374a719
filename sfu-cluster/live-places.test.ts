// Tests of live places: nobody can take them all, and whoever leaves gives theirs back.
import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { createLivePlaces, placesPerSubjectMax } from './live-places.ts';
import { useScene } from './testing/scene.ts';

const limits = { placesPerSubjectMax: 2, placesPerLineMax: 3 };
const full = expect.objectContaining({ code: 'no-room' });

test('one person has few places, whatever addresses they come from', () => {
  const places = createLivePlaces(limits);
  places.take('fan', '203.0.113.1');
  const leave = places.take('fan', '198.51.100.1');
  expect(() => places.take('fan', '192.0.2.1')).toThrow(full);
  leave();
  leave();
  places.take('fan', '192.0.2.1');
  expect(() => places.take('fan', '192.0.2.1')).toThrow(full);
});

test('one line has few places, whoever comes from it, and a refusal costs nobody theirs', () => {
  const places = createLivePlaces(limits);
  for (const fan of ['a', 'b', 'c']) places.take(fan, '2001:db8::1');
  expect(() => places.take('d', '2001:db8::2')).toThrow(full);
  places.take('d', '203.0.113.1');
  places.take('d', '203.0.113.1');
});

test('people behind a proxy that names nobody are told apart by who they are alone', () => {
  const places = createLivePlaces(limits);
  for (let fan = 0; fan < 10; fan += 1) places.take(`fan ${fan}`, '10.0.0.1');
});

const scene = useScene();

test('on a node one picture more is refused until one ends, and the same socket may ask for its own anew', async () => {
  const fan = randomUUID();
  const windows = await Promise.all(
    Array.from({ length: placesPerSubjectMax }, () => scene.viewer(fan)),
  );
  const ask = { direction: 'receive' } as const;
  for (const window of windows) await window.request('transport.create', ask);
  const [first] = windows;
  await first?.request('transport.create', ask);
  const another = await scene.viewer(fan);
  await expect(another.request('transport.create', ask)).rejects.toThrow('no-room');
  await (await scene.viewer()).request('transport.create', ask);
  first?.cut();
  await expect
    .poll(() =>
      another.request('transport.create', ask).then(
        () => 'let in',
        () => 'refused',
      ),
    )
    .toBe('let in');
});
