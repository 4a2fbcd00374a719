// Languages as the person sees them: named in the language of the browser.
import type { Option } from './field.tsx';

/** Those of India that have a code of two letters, and those that streams are most often in (ISO 639-1). */
const usualLanguages =
  'en hi bn te mr ta ur gu kn or ml pa as ne sd sa ks ar de es fa fr id it ja ko pt ru si th tr vi zh'.split(
    ' ',
  );

const namesIn = (language: string) => new Intl.DisplayNames([language, 'en'], { type: 'language' });

export const languageName = (code: string, language = navigator.language): string =>
  namesIn(language).of(code) ?? code;

/** The usual languages by name, and `more` where it is none of them. */
export function languageOptions(
  language = navigator.language,
  more: string | null = null,
): Option[] {
  const names = namesIn(language);
  const codes = new Set([...usualLanguages, ...(more ? [more] : [])]);
  return [...codes]
    .map((code) => ({ value: code, label: names.of(code) ?? code }))
    .sort((a, b) => a.label.localeCompare(b.label, language));
}
