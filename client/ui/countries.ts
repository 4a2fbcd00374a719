// Countries as the person sees them: named in the language of the browser.
import { countryCodes } from '#contract';
import type { Option } from './field.tsx';

/** Every country, by name. */
export function countryOptions(language: string): Option[] {
  const names = new Intl.DisplayNames([language, 'en'], { type: 'region' });
  return countryCodes
    .map((code) => ({ value: code, label: names.of(code) ?? code }))
    .sort((a, b) => a.label.localeCompare(b.label, language));
}

/** The country that the browser's language names, or India. */
export function likelyCountry(language: string): string {
  const { region } = new Intl.Locale(language);
  return countryCodes.find((code) => code === region) ?? 'IN';
}
