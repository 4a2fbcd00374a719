import { expect, test } from 'vitest';
import type { SetLimitsBody, SpendingLimits } from '#contract';
import { ApiError } from './api-error.ts';
import { createSpendingLimits, shareUsed } from './spending-limits.ts';

const none: SetLimitsBody = {
  dayTokens: null,
  monthTokens: null,
  dayPaise: null,
  monthPaise: null,
};
const spent = { dayTokens: 120, monthTokens: 900, dayPaise: 0, monthPaise: 109_000 };
const limits: SpendingLimits = { ...none, dayTokens: 500, monthPaise: 200_050, next: null, spent };

function createScene(answer: (body: SetLimitsBody) => Promise<SpendingLimits>) {
  const sent: SetLimitsBody[] = [];
  const edge = { limits };
  const model = createSpendingLimits({
    money: {
      limits: async () => edge.limits,
      setLimits(body) {
        sent.push(body);
        return answer(body);
      },
    },
  });
  return { model, sent, edge };
}

const texts = (model: ReturnType<typeof createScene>['model']) =>
  Object.values(model.typed).map((text) => text.value);

test('the fields hold the limits, in tokens and in rupees, and nothing where there is none', async () => {
  const { model, edge } = createScene(async () => limits);
  await model.load();
  expect(texts(model)).toEqual(['500', '', '', '2000.50']);
  model.typed.dayTokens.value = '3';
  edge.limits = { ...limits, dayTokens: 400 };
  await model.load();
  expect(texts(model)[0]).toBe('3');
});

test('limits are sent whole, and the outcome says whether they count at once', async () => {
  const next = { ...none, dayTokens: 1_000, from: '2026-04-03T10:00:00Z' };
  const { model, sent } = createScene(async (body) =>
    body.dayTokens === 1_000 ? { ...limits, next } : { ...limits, ...body, next: null },
  );
  await model.load();
  model.typed.dayTokens.value = '1,000';
  model.typed.monthPaise.value = '';
  await model.save();
  expect(sent).toEqual([{ ...none, dayTokens: 1_000 }]);
  expect(model.outcome.value).toBe('later');
  expect(texts(model)[0]).toBe('1000');

  model.typed.dayTokens.value = '50';
  await model.save();
  expect(model.outcome.value).toBe('now');
  expect(model.value.value?.dayTokens).toBe(50);
});

test('what is no amount is said beside its field and not sent; a refusal is said', async () => {
  const { model, sent } = createScene(() =>
    Promise.reject(new ApiError('unavailable', 503, null, 'down')),
  );
  await model.load();
  model.typed.dayTokens.value = '1.5';
  model.typed.dayPaise.value = '-3';
  await model.save();
  expect(Object.keys(model.faults.value)).toEqual(['dayTokens', 'dayPaise']);
  expect(sent).toEqual([]);
  model.typed.dayTokens.value = '';
  model.typed.dayPaise.value = '99.50';
  await model.save();
  expect(sent).toMatchObject([{ dayPaise: 9_950 }]);
  expect(model.fault.value).not.toBeNull();
  expect(model.busy.value).toBe(false);
});

test('how much is used is a share of the limit, and a limit of nothing is used up', () => {
  expect(shareUsed(limits, 'dayTokens')).toBeCloseTo(0.24);
  expect(shareUsed(limits, 'monthTokens')).toBeNull();
  expect(shareUsed({ ...limits, dayTokens: 100 }, 'dayTokens')).toBe(1);
  expect(shareUsed({ ...limits, dayTokens: 0 }, 'dayTokens')).toBe(1);
});
