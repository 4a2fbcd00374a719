// Search words: what somebody has typed, as words of letters and digits alone, whatever else is in it.

/** Further words are not looked for. */
export const searchWordsMax = 8;
const wordCharsMax = 40;
const wordPattern = /[\p{L}\p{M}\p{N}]+/gu;
/** Accents and the like on Latin, Greek and Cyrillic letters; vowel signs of other scripts belong to the word. */
const accents = /[\u0300-\u036f]/g;
const nameCharsMax = 32;

export interface SearchWords {
  /** The spellings of each word. */
  words: string[][];
  /** All words as one tag. */
  tag: string;
  /** All of it as the beginning of a user name; empty where no name begins so. */
  name: string;
}

/** The words of a search. Of what is typed nothing reaches the database but letters, digits and their marks. */
export function searchWordsOf(typed: string): SearchWords {
  const text = typed.normalize('NFC');
  const words = [...text.matchAll(wordPattern)]
    .slice(0, searchWordsMax)
    .map(([word]) => [...word].slice(0, wordCharsMax).join(''));
  const lower = words.map((word) => word.toLowerCase());
  const name = text.trim().replace(/^@/, '').toLowerCase();
  return {
    words: words.map((word) => spellingsOf(word)),
    tag: lower.join('-'),
    name: /^[a-z0-9_]+$/.test(name) ? name.slice(0, nameCharsMax) : '',
  };
}

/** As it is typed, in small letters, and without accents. */
function spellingsOf(word: string): string[] {
  const lower = word.toLowerCase();
  const plain = lower.normalize('NFD').replace(accents, '').normalize('NFC');
  return [...new Set([word, lower, plain])].filter((spelling) => spelling !== '');
}
