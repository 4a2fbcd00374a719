// Languages as the person sees them: named in the language of the browser.
import type { Option } from './field.tsx';

/** Those that streams are most often in; a stream may say any other (ISO 639-1). */
const usualLanguages = [
  'as bn de en es fr gu hi id it ja kn ko ml mr ne or pa pt ru ta te th tr ur vi zh',
].flatMap((codes) => codes.split(' '));

const namesIn = (language: string) => new Intl.DisplayNames([language, 'en'], { type: 'language' });

export const languageName = (code: string, language: string): string =>
  namesIn(language).of(code) ?? code;

/** The usual languages by name, and `more` where it is none of them. */
export function languageOptions(language: string, more: string | null): Option[] {
  const names = namesIn(language);
  const codes = new Set([...usualLanguages, ...(more ? [more] : [])]);
  return [...codes]
    .map((code) => ({ value: code, label: names.of(code) ?? code }))
    .sort((a, b) => a.label.localeCompare(b.label, language));
}
