// Tests of display names: what people may call themselves, and what passes for somebody of ours.
import { expect, test } from 'vitest';
import { DisplayName, displayNameCharsMax, looksLikeStaff } from './display-names.ts';

const taken = (name: string) => DisplayName.safeParse(name);

test.each([
  ['Asha', 'Asha'],
  ['  Asha   Rao ', 'Asha Rao'],
  ['आशा', 'आशा'],
  ['क्षत्रिय', 'क्षत्रिय'],
  ['Zoë 🎸', 'Zoë 🎸'],
  ['e\u0301clat', 'éclat'],
  ['👩‍🚀 Mira', '👩‍🚀 Mira'],
  ['', ''],
  ['Supporting local music', 'Supporting local music'],
  ['Modern Staffan', 'Modern Staffan'],
  ['x'.repeat(displayNameCharsMax), 'x'.repeat(displayNameCharsMax)],
])('%j is one', (name, kept) => {
  expect(taken(name).data).toBe(kept);
});

test.each([
  ['a line end', 'Asha\nRao'],
  ['a tab', 'Asha\tRao'],
  ['a control character', 'Asha\u0007'],
  ['a character that turns text around', 'Asha\u202Eoar'],
  ['an isolate', 'Asha\u2066x'],
  ['a mark of direction', 'Asha\u200F'],
  ['a space without width', 'As\u200Bha'],
  ['a filler that is a letter', 'As\u3164ha'],
  ['a soft hyphen', 'As\u00ADha'],
  ['half a character', 'Asha\uD800'],
  ['a pile of marks', `A${'\u0301'.repeat(9)}`],
  ['signs alone', '...'],
  ['joiners alone', '\u200D\u200D'],
  ['more than fits', 'x'.repeat(displayNameCharsMax + 1)],
])('%s is refused', (_, name) => {
  expect(taken(name).success).toBe(false);
});

test.each([
  'LivePanty',
  'live panty official',
  'L1vePanty',
  'LІVEPANTY',
  'Ꮮivepanty'.replace('Ꮮ', 'Ｌ'),
  'Admin',
  'аdmin',
  'The Support Team',
  'M0derator',
  'Moderat0r_',
  'customer-service-support',
  'S.T.A.F.F',
  'offıcial',
])('%j passes for one of our staff', (name) => {
  expect(looksLikeStaff(name)).toBe(true);
  expect(taken(name).success).toBe(false);
});
