import { expect, test } from 'vitest';
import { createHashQueue } from './hash-queue.ts';

test('so many hashes are made at a time, so many wait in their order, and the next one is refused', async () => {
  const begun: string[] = [];
  const ends = new Map<string, PromiseWithResolvers<void>>();
  const queue = createHashQueue(
    {
      async hash(password) {
        begun.push(password);
        const end = Promise.withResolvers<void>();
        ends.set(password, end);
        await end.promise;
        return password;
      },
      verify: async () => true,
    },
    2,
    2,
  );
  const made = ['a', 'b', 'c', 'd'].map((password) => queue.hash(password));
  await expect(queue.hash('e')).rejects.toMatchObject({ code: 'busy' });
  expect(begun).toEqual(['a', 'b']);
  ends.get('b')?.reject(new Error('no memory'));
  await expect(made[1]).rejects.toThrow('no memory');
  await expect.poll(() => begun).toEqual(['a', 'b', 'c']);
  ends.get('a')?.resolve();
  expect(await made[0]).toBe('a');
  await expect.poll(() => begun).toEqual(['a', 'b', 'c', 'd']);
  ends.get('c')?.resolve();
  ends.get('d')?.resolve();
  expect(await Promise.all(made.slice(2))).toEqual(['c', 'd']);
  expect(await queue.verify('x', null)).toBe(true);
});
