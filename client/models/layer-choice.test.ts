import { describe, expect, test } from 'vitest';
import { anySizes } from '../testing/any-sizes.ts';
import { type Box, chooseLayer, stepDownMargin } from './layer-choice.ts';

const box = (width: number, height: number, fit: Box['fit'] = 'contain'): Box => ({
  width,
  height,
  fit,
});
const auto = (shown: Box, current: number | null = null) =>
  chooseLayer(anySizes, 'auto', shown, current);

describe('a picture that is sent as large as it is shown', () => {
  test.each([
    [box(160, 90), 0],
    [box(320, 180), 0],
    [box(321, 181), 1],
    [box(640, 360), 1],
    [box(700, 394), 2],
    [box(1280, 720), 2],
    [box(3840, 2160), 2],
    [box(0, 0), 0],
  ])('in %o comes in layer %i', (shown, layer) => {
    expect(auto(shown)).toBe(layer);
  });

  test('is no larger than fits between bars, and no smaller than fills its place', () => {
    expect(auto(box(300, 720))).toBe(0);
    expect(auto(box(300, 720, 'cover'))).toBe(2);
  });

  test('takes a larger layer at once, and a smaller one only when its place is clearly smaller', () => {
    const slightlySmaller = box(640 * (1 - stepDownMargin / 2), 360 * (1 - stepDownMargin / 2));
    expect(auto(slightlySmaller, 2)).toBe(2);
    expect(auto(slightlySmaller, 1)).toBe(1);
    expect(auto(box(640 * (1 - stepDownMargin), 360 * (1 - stepDownMargin)), 2)).toBe(1);
    expect(auto(box(641, 361), 1)).toBe(2);
  });

  test('goes down by as many layers as its place has', () => {
    expect(auto(box(160, 90), 2)).toBe(0);
    // Too near to the smallest one, and far from the largest.
    expect(auto(box(310, 175), 2)).toBe(1);
  });

  test('that has no place yet comes in the smallest layer', () => {
    expect(chooseLayer(anySizes, 'auto', null, null)).toBe(0);
  });
});

test('the saver never takes more than the smallest layer', () => {
  expect(chooseLayer(anySizes, 'saver', box(3840, 2160), 2)).toBe(0);
});

test.each([
  [720, 2],
  [1080, 2],
  [480, 1],
  [180, 0],
  [90, 0],
])('%i lines, wherever the picture is shown, are layer %i', (lines, layer) => {
  expect(chooseLayer(anySizes, lines, box(100, 100), null)).toBe(layer);
});

test('a picture that stands upright has its lines from side to side', () => {
  const upright = anySizes.map(({ width, height }) => ({ width: height, height: width }));
  expect(chooseLayer(upright, 360, null, null)).toBe(1);
});
