import { expect, test } from 'vitest';
import { storageOf } from './storage.ts';

test('where storage is switched off, what is kept lasts for the visit', () => {
  const storage = storageOf({
    get localStorage(): Storage {
      throw new DOMException('denied', 'SecurityError');
    },
  });
  expect(storage.getItem('theme')).toBeNull();
  storage.setItem('theme', 'dark');
  expect(storage.getItem('theme')).toBe('dark');
  storage.removeItem('theme');
  expect(storage.getItem('theme')).toBeNull();
});
