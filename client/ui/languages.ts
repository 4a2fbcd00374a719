// Languages that a stream can be in, named in the language of the browser.
import type { Option } from './field.tsx';

/** Those of India that have a code of two letters, and those that visitors most often speak. */
const codes =
  'en hi bn te mr ta ur gu kn or ml pa as ne sd sa ks ar de es fa fr id it ja ko pt ru si th tr vi zh'.split(
    ' ',
  );

export function languageName(code: string): string {
  return new Intl.DisplayNames([navigator.language, 'en'], { type: 'language' }).of(code) ?? code;
}

export function languageOptions(): Option[] {
  return codes.map((value) => ({ value, label: languageName(value) }));
}
