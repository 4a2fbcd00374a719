// Icons of security.
import { stroke } from './icons.tsx';

export const KeyIcon = stroke(
  <>
    <circle cx="8" cy="15.5" r="4" />
    <path d="m11 12.5 8.5-8.5M16 7.5l3 3M13.2 10.3l1.8 1.8" />
  </>,
);
