import { expect, test } from 'vitest';
import { ApiError } from './api-error.ts';
import { createMailedLink } from './mailed-link.ts';

const over = new ApiError('link-over', 410, null, 'over');

test('a link is used once, however often it is pressed', async () => {
  const sent: string[] = [];
  const answer = Promise.withResolvers<void>();
  const link = createMailedLink({
    token: 'secret',
    use: (token) => {
      sent.push(token);
      return answer.promise;
    },
  });
  const first = link.send();
  await link.send();
  expect(link.state.value).toBe('busy');
  answer.resolve();
  await first;
  await link.send();
  expect(sent).toEqual(['secret']);
  expect(link.state.value).toBe('done');
});

test('one that comes to nothing says why, and can be tried again where it may help', async () => {
  const answers: (Error | null)[] = [new ApiError('network', 0, null, 'lost'), over, null];
  const link = createMailedLink({
    token: 'secret',
    use: async () => {
      const error = answers.shift();
      if (error) throw error;
    },
  });
  await link.send();
  expect([link.state.value, link.fault.value]).toEqual(['over', expect.stringMatching(/network/)]);
  await link.send();
  expect(link.fault.value).toMatch(/used, or is too old/);
  await link.send();
  expect([link.state.value, link.fault.value]).toEqual(['done', null]);
});

test('an address without a secret sends nothing', async () => {
  const link = createMailedLink({ token: '', use: () => Promise.reject(over) });
  await link.send();
  expect([link.state.value, link.fault.value]).toEqual(['missing', null]);
});
