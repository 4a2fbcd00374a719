// Categories as the person sees them: a word, and a colour for pictures that are not there yet.
import type { StreamCategory } from '#contract';

export type CategoryFace = { label: string; hue: number; glyph: string };

/** Complete by its type: a category that the contract adds does not compile without a face. */
export const categoryFaces: Record<StreamCategory, CategoryFace> = {
  music: {
    label: 'Music',
    hue: 338,
    glyph: 'M9 18V6l10-2v12M9 18a3 3 0 1 1-3-3 3 3 0 0 1 3 3Zm10-2a3 3 0 1 1-3-3 3 3 0 0 1 3 3Z',
  },
  talk: {
    label: 'Talk',
    hue: 214,
    glyph: 'M4 5.5h11v8H9l-3.5 3v-3H4zM18 9h2v7.5h-1.5v2.5L15.5 16.5H12',
  },
  games: {
    label: 'Games',
    hue: 262,
    glyph:
      'M7 8h10a4.5 4.5 0 0 1 4.3 5.8l-.7 2.4a2.2 2.2 0 0 1-3.9.7L15.5 15h-7l-1.2 1.9a2.2 2.2 0 0 1-3.9-.7l-.7-2.4A4.5 4.5 0 0 1 7 8ZM8 10.5v3M6.5 12h3M15.5 11.2h.1M17.5 12.8h.1',
  },
  dance: {
    label: 'Dance',
    hue: 12,
    glyph: 'M13 5.5a1.8 1.8 0 1 0 0-.1M6 9l5-1 3 2.5 4-2M11 8l-.5 5.5L14 16v5M10.5 13.5 7 16l-1 5',
  },
  cooking: {
    label: 'Cooking',
    hue: 36,
    glyph:
      'M4 11h16v3a6 6 0 0 1-6 6h-4a6 6 0 0 1-6-6zM2.5 11h19M9 7.5c-1-1 1-2 0-3.5M13.5 7.5c-1-1 1-2 0-3.5',
  },
  art: {
    label: 'Art',
    hue: 292,
    glyph:
      'M12 4a8 8 0 1 0 0 16c1.5 0 1.7-1 1.2-2-.6-1.2.2-2.5 1.6-2.5H17a3 3 0 0 0 3-3.2C19.7 7.5 16.3 4 12 4ZM8 11.5h.1M11 8h.1M15.2 9h.1',
  },
  fitness: {
    label: 'Fitness',
    hue: 152,
    glyph: 'M7 7v10M4.5 9v6M17 7v10M19.5 9v6M7 12h10M2.5 12h2M19.5 12h2',
  },
};

export const categories = Object.keys(categoryFaces) as StreamCategory[];
