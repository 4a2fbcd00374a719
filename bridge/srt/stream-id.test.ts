// Stream ids: which of the forms that encoders use show a key.
import { expect, test } from 'vitest';
import { keyOfStreamId } from './stream-id.ts';

test.each([
  ['lpk_Ab-9_', 'lpk_Ab-9_'],
  ['publish:lpk_Ab', 'lpk_Ab'],
  ['#!::r=lpk_Ab,m=publish', 'lpk_Ab'],
  ['#!::u=me,r=lpk_Ab', 'lpk_Ab'],
  ['#!::r=lpk_Ab,m=request', null],
  ['#!::m=publish', null],
  ['play:lpk_Ab', null],
  ['', null],
  ['lpk_Ab\nx', null],
  ['lpk Ab', null],
  ['x'.repeat(129), null],
])('%j shows %j', (streamId, key) => {
  expect(keyOfStreamId(streamId)).toBe(key);
});
