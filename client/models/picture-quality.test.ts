import { expect, test } from 'vitest';
import { anySizes } from '../testing/any-sizes.ts';
import {
  createPictureQuality,
  effectiveQuality,
  type PictureQuality,
  qualitiesOf,
} from './picture-quality.ts';

function createStorage(kept: Record<string, string> = {}) {
  const items = new Map(Object.entries(kept));
  return {
    getItem: (key: string) => items.get(key) ?? null,
    setItem: (key: string, value: string) => void items.set(key, value),
  };
}

test.each<PictureQuality>(['auto', 'saver', 'sound', 360])('%s is remembered', (quality) => {
  const storage = createStorage();
  createPictureQuality(storage, false).choose(quality);
  expect(createPictureQuality(storage, true).chosen.value).toBe(quality);
});

test('a device that saves data is sent the smallest picture, unless its owner has chosen', () => {
  expect(createPictureQuality(createStorage(), true).chosen.value).toBe('saver');
  expect(createPictureQuality(createStorage(), false).chosen.value).toBe('auto');
});

test.each(['', 'high', '720', '7p', '99999p', '-360p', 'null'])(
  'what is kept as "%s" is no choice',
  (kept) => {
    const storage = createStorage({ 'livepanty.picture-quality': kept });
    expect(createPictureQuality(storage, false).chosen.value).toBe('auto');
  },
);

test('the layers that there are can be chosen, the largest first; a picture that comes in one size has none', () => {
  expect(qualitiesOf(anySizes)).toEqual(['auto', 720, 360, 180, 'saver', 'sound']);
  expect(qualitiesOf(anySizes.slice(0, 1))).toEqual(['auto', 'saver', 'sound']);
  expect(qualitiesOf([])).toEqual(['auto', 'saver', 'sound']);
});

test('lines that were chosen elsewhere come to those that a stream has', () => {
  expect(effectiveQuality(1080, anySizes)).toBe(720);
  expect(effectiveQuality(480, anySizes)).toBe(360);
  expect(effectiveQuality(480, [])).toBe('auto');
  expect(effectiveQuality('sound', anySizes)).toBe('sound');
});
