import { expect, test } from 'vitest';
import { type CloseAccountBody, type Closing, closingObstacles } from '#contract';
import { ApiError } from './api-error.ts';
import { createClosing } from './closing.ts';
import { closingWords } from './refusal-words.ts';

const nothing: Closing = { tokens: 0, earningsPaise: 0, obstacle: null, eraseDays: 30 };

async function scene(closings: Closing[], answer: () => Promise<{ eraseAt: string }>) {
  const sent: CloseAccountBody[] = [];
  const closed: string[] = [];
  const model = createClosing(
    {
      readClosing: async () => closings.shift() ?? nothing,
      closeAccount: (body) => {
        sent.push(body);
        return answer();
      },
    },
    (eraseAt) => closed.push(eraseAt),
  );
  await model.load();
  return { model, sent, closed };
}
const done = async () => ({ eraseAt: '2026-04-01T00:00:00Z' });

test('whoever leaves nothing behind types their password only', async () => {
  const { model, sent, closed } = await scene([nothing], done);
  await model.close();
  expect(model.faults.value).toEqual({ password: 'Enter your password.' });
  model.password.value = ' as it is ';
  await model.close();
  expect(sent).toEqual([{ password: ' as it is ', givenUp: { tokens: 0, earningsPaise: 0 } }]);
  expect(closed).toEqual(['2026-04-01T00:00:00Z']);
});

test('what is left behind is given up in so many words, and sent as it was shown', async () => {
  const { model, sent } = await scene([{ ...nothing, tokens: 50, earningsPaise: 1_050 }], done);
  model.password.value = 'x';
  await model.close();
  expect(sent).toEqual([]);
  expect(model.faults.value.words).toContain('give up');
  model.words.value = ' Give up ';
  await model.close();
  expect(sent[0]?.givenUp).toEqual({ tokens: 50, earningsPaise: 1_050 });
});

test('when it has changed meanwhile the figures of now are shown, and nothing is closed', async () => {
  const refusal = new ApiError(
    'not-closable',
    409,
    { type: 'x', code: 'not-closable', title: 'No', status: 409, obstacle: 'left-behind' },
    'No',
  );
  const { model, closed } = await scene([nothing, { ...nothing, tokens: 5 }], () =>
    Promise.reject(refusal),
  );
  model.password.value = 'x';
  await model.close();
  expect(model.value.value?.tokens).toBe(5);
  expect(model.fault.value).toBe(closingWords['left-behind']);
  expect(closed).toEqual([]);
});

test('every obstacle has words of its own', () => {
  expect(Object.keys(closingWords).toSorted()).toEqual(closingObstacles.toSorted());
});
