import { expect, test } from 'vitest';
import { refusalOf } from '../testing/refusal.ts';
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

test('one that comes to nothing says why, and is tried again where that may help', async () => {
  const answers = [new ApiError('network', 0, null, 'lost'), over];
  let sent = 0;
  const link = createMailedLink({
    token: 'secret',
    use: async () => {
      sent += 1;
      const error = answers.shift();
      if (error) throw error;
    },
  });
  await link.send();
  expect([link.state.value, link.fault.value]).toEqual(['ready', expect.stringMatching(/network/)]);
  await link.send();
  expect(link.fault.value).toMatch(/used, or is too old/);
  await link.send();
  expect([link.state.value, sent]).toEqual(['over', 2]);
});

test('an address without a secret sends nothing', async () => {
  const link = createMailedLink({ token: '', use: () => Promise.reject(over) });
  await link.send();
  expect([link.state.value, link.fault.value]).toEqual(['missing', null]);
});

test('a link that logs in asks for the code where the account has a second factor', async () => {
  const codes: unknown[] = [];
  const answers = [refusalOf('second-factor-wrong'), null];
  const link = createMailedLink({
    token: 'secret',
    use: () => Promise.reject(refusalOf('second-factor-needed', { challengeId: 'the-challenge' })),
    async loginWithCode(body) {
      codes.push(body);
      const error = answers.shift();
      if (error) throw error;
    },
  });
  await link.send();
  expect(link.state.value).toBe('code');
  link.code.typed.code.value = '123 456';
  await link.code.submit();
  expect(link.code.faults.value.code).toMatch(/wrong/);
  await link.code.submit();
  expect(codes).toEqual(Array(2).fill({ challengeId: 'the-challenge', code: '123456' }));
  expect(link.state.value).toBe('done');
});
