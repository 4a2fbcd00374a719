import { expect, test } from 'vitest';
import { createManualClock, settled } from '../testing/manual-clock.ts';
import { ApiError } from './api-error.ts';
import { actRetriesMax, createKeyedAct } from './keyed-act.ts';

const lost = () => new ApiError('network', 0, null, 'lost');
const refused = () => new ApiError('payout-too-small', 409, null, 'too small');

function createScene(answer: (attempt: number) => Promise<string>) {
  const clock = createManualClock();
  const sent: { amount: number; key: string }[] = [];
  let keys = 0;
  const act = createKeyedAct<{ amount: number }, string>({
    clock,
    newKey: () => `key-${++keys}`,
    send({ amount }, key) {
      sent.push({ amount, key });
      return answer(sent.length);
    },
  });
  return { act, clock, sent };
}

test('an act without an answer keeps its key, by itself and by hand', async () => {
  const { act, clock, sent } = createScene(async (attempt) => {
    if (attempt <= actRetriesMax + 1) throw lost();
    return 'done';
  });
  const first = act.carryOut({ amount: 5 }).catch((error: unknown) => error);
  await clock.advance(60_000);
  expect(await first).toBeInstanceOf(ApiError);
  expect(sent).toHaveLength(actRetriesMax + 1);
  expect(await act.carryOut({ amount: 5 })).toBe('done');
  expect(new Set(sent.map(({ key }) => key))).toEqual(new Set(['key-1']));
});

test('another amount is another act, and so is the same one after it was done', async () => {
  const { act, sent } = createScene(async () => 'done');
  await act.carryOut({ amount: 5 });
  await act.carryOut({ amount: 5 });
  await act.carryOut({ amount: 6 });
  expect(sent.map(({ key }) => key)).toEqual(['key-1', 'key-2', 'key-3']);
});

test('a second press while the first is under way sends nothing', async () => {
  const answer = Promise.withResolvers<string>();
  const { act, sent } = createScene(() => answer.promise);
  const first = act.carryOut({ amount: 5 });
  expect(await act.carryOut({ amount: 5 })).toBeNull();
  answer.resolve('done');
  expect(await first).toBe('done');
  expect(sent).toHaveLength(1);
  expect(act.busy.value).toBe(false);
});

test('a refusal is told at once and not repeated', async () => {
  const { act, sent } = createScene(() => Promise.reject(refused()));
  await expect(act.carryOut({ amount: 5 })).rejects.toMatchObject({ code: 'payout-too-small' });
  await settled();
  expect(sent).toHaveLength(1);
});
