import { expect, test } from 'vitest';
import { createViewingScene } from '../testing/viewing-scene.ts';
import { outOfSightAfterMs } from './viewing.ts';

test('a page is out of sight once it has been hidden for a while, and in sight at once', async () => {
  const { clock, viewing, setHidden } = createViewingScene();
  setHidden(true);
  await clock.advance(outOfSightAfterMs - 1);
  expect(viewing.hostInSight.value).toBe(true);
  await clock.advance(1);
  expect(viewing.hostInSight.value).toBe(false);
  setHidden(false);
  expect(viewing.hostInSight.value).toBe(true);
});

test('whoever only glances at another tab misses nothing, however often', async () => {
  const { clock, viewing, setHidden } = createViewingScene();
  for (let glance = 0; glance < 5; glance += 1) {
    setHidden(true);
    await clock.advance(outOfSightAfterMs - 1);
    setHidden(false);
    await clock.advance(outOfSightAfterMs);
  }
  expect(viewing.hostInSight.value).toBe(true);
  expect(clock.waiting).toBe(0);
});

test('a page that is opened hidden is out of sight after the same while', async () => {
  const { clock, viewing } = createViewingScene({ isHidden: true });
  await clock.advance(outOfSightAfterMs);
  expect(viewing.guestsInSight.value).toBe(false);
});

test('of a hidden page the picture that floats is in sight, and those of guests are not', async () => {
  const { clock, viewing, setHidden } = createViewingScene();
  viewing.floats.value = true;
  setHidden(true);
  await clock.advance(outOfSightAfterMs);
  expect([viewing.hostInSight.value, viewing.guestsInSight.value]).toEqual([true, false]);
  viewing.floats.value = false;
  expect(viewing.hostInSight.value).toBe(false);
});

test('the end leaves nobody listening and nothing waiting', () => {
  const { clock, viewing, setHidden, isHeard } = createViewingScene();
  setHidden(true);
  viewing.close();
  expect([clock.waiting, isHeard()]).toEqual([0, false]);
});
