// Display names: what people may call themselves, and what looks like somebody of ours.
import { z } from 'zod';

export const displayNameCharsMax = 40;

/** Characters that turn the direction of text around, so that it reads as something else than it is. */
export const turningCharacters = /[\u061C\u200E\u200F\u202A-\u202E\u2066-\u2069]/u;
/** What cannot be seen; the two joiners are letters' business in many scripts, and in emoji. */
const invisible = /[^\P{C}\u200C\u200D]|[\p{Zl}\p{Zp}\u115F\u1160\u3164\uFFA0\u2800]/u;
/** Marks that pile up over other lines; no script needs so many on one letter. */
const piledMarks = /\p{M}{5}/u;
const readable = /[\p{L}\p{N}]/u;

/** Letters of other scripts, digits and signs that pass for a Latin letter at a glance. */
const lookalikes: Record<string, string> = {
  ...spread('а@4αɑ', 'a'),
  ...spread('вß8β', 'b'),
  ...spread('сϲ', 'c'),
  ...spread('ԁ', 'd'),
  ...spread('е3ёε', 'e'),
  ...spread('һ', 'h'),
  ...spread('іӏl1|!їιןıǀ', 'i'),
  ...spread('ј', 'j'),
  ...spread('кκ', 'k'),
  ...spread('м', 'm'),
  ...spread('пη', 'n'),
  ...spread('о0οσօ०', 'o'),
  ...spread('рρ', 'p'),
  ...spread('г', 'r'),
  ...spread('ѕ5$', 's'),
  ...spread('т7τ+', 't'),
  ...spread('υս', 'u'),
  ...spread('ѵν', 'v'),
  ...spread('ԝω', 'w'),
  ...spread('х', 'x'),
  ...spread('уγ', 'y'),
};

function spread(letters: string, as: string): Record<string, string> {
  return Object.fromEntries([...letters].map((letter) => [letter, as]));
}

/** What is left of a name for whoever looks at it in passing: Latin letters alone. */
function glanceOf(name: string): string {
  const plain = name.normalize('NFKD').replaceAll(/\p{M}/gu, '').toLowerCase();
  return [...plain]
    .map((letter) => lookalikes[letter] ?? letter)
    .join('')
    .replaceAll(/[^a-z]/g, '')
    .replaceAll('rn', 'm')
    .replaceAll('vv', 'w');
}

const house = glanceOf('LivePanty');
const offices = ['admin', 'administrator', 'moderator', 'mod', 'staff', 'support', 'official'];
const companions = ['team', 'the', 'help', 'helpdesk', 'desk', 'service', 'customer', 'system'];
const glances = (names: readonly string[]) => names.map(glanceOf).join('|');
/** An office, with nothing beside it but such words: "The Support Team", and not "Support local music". */
const officeOnly = new RegExp(
  `^(${glances(companions)})*(${glances(offices)})(${glances([...offices, ...companions])})*$`,
);

/** Whether a name passes for the house, or for somebody who works for it. */
export function looksLikeStaff(name: string): boolean {
  const glance = glanceOf(name);
  return glance.includes(house) || officeOnly.test(glance);
}

/** Empty for none: then the user name stands in its place. */
export const DisplayName = z
  .string()
  .max(displayNameCharsMax * 2)
  .refine((text) => text.isWellFormed(), 'not readable text')
  .transform((text) =>
    text
      .normalize('NFC')
      .replaceAll(/\p{Zs}+/gu, ' ')
      .trim(),
  )
  .pipe(
    z
      .string()
      .max(displayNameCharsMax)
      .refine(
        (name) => ![turningCharacters, invisible, piledMarks].some((rule) => rule.test(name)),
        'letters that everybody sees as they are',
      )
      .refine((name) => name === '' || readable.test(name), 'a letter or a digit is needed')
      .refine((name) => !looksLikeStaff(name), 'this name passes for one of our staff'),
  );
