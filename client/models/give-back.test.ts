import { expect, test } from 'vitest';
import type { Refund } from '#contract';
import { createManualClock } from '../testing/manual-clock.ts';
import { ApiError } from './api-error.ts';
import { createGiveBack } from './give-back.ts';

const purchase = {
  gatewayPaymentId: 'pay_1',
  title: 'Fan',
  returnable: { tokens: 500, unspentTokens: 320, refundPaise: 34_880, obstacle: null },
};
const refund: Refund = {
  id: 'r1',
  gatewayPaymentId: 'pay_1',
  tokens: 320,
  amountPaise: 34_880,
  state: 'requested',
  reason: 'By mistake',
  createdAt: '2026-04-02T10:00:00Z',
};

function createScene(answer: () => Promise<Refund> = async () => refund) {
  const clock = createManualClock();
  const sent: { body: unknown; key: string }[] = [];
  let keys = 0;
  let moved = 0;
  let listed: Refund[] = [];
  const giveBack = createGiveBack({
    clock,
    money: {
      requestRefund(_id, body, key) {
        sent.push({ body, key });
        return answer();
      },
      refunds: async () => ({ refunds: listed, nextCursor: null }),
    },
    newKey: () => `key-${++keys}`,
    onRequested: () => {
      moved += 1;
    },
  });
  return {
    giveBack,
    clock,
    sent,
    moved: () => moved,
    list: (...refunds: Refund[]) => {
      listed = refunds;
    },
  };
}

test('all unspent tokens are asked back as they were shown, with the reason', async () => {
  const { giveBack, sent, moved, list } = createScene();
  list(refund);
  giveBack.begin(purchase);
  await giveBack.submit();
  expect(giveBack.faults.value.reason).toBeDefined();
  expect(sent).toEqual([]);
  giveBack.reason.value = ' By mistake ';
  await giveBack.submit();
  expect(sent).toEqual([{ body: { tokens: 320, reason: 'By mistake' }, key: 'key-1' }]);
  expect(giveBack.done.value).toEqual(refund);
  expect(moved()).toBe(1);
  expect(giveBack.newestOf.value.get('pay_1')?.state).toBe('requested');
});

test('a number of tokens must be one, and no more than are unspent', async () => {
  const { giveBack, sent } = createScene();
  giveBack.begin(purchase);
  giveBack.reason.value = 'By mistake';
  giveBack.all.value = false;
  for (const text of ['', '0', '321', 'some']) {
    giveBack.tokensText.value = text;
    await giveBack.submit();
    expect(giveBack.faults.value.tokens).toContain('320');
  }
  expect(sent).toEqual([]);
  giveBack.tokensText.value = '100';
  await giveBack.submit();
  expect(sent).toMatchObject([{ body: { tokens: 100 } }]);
});

test('a request that got no answer keeps its key, and is not sent twice by two presses', async () => {
  let fails = 3;
  const { giveBack, clock, sent } = createScene(async () => {
    fails -= 1;
    if (fails >= 0) throw new ApiError('network', 0, null, 'lost');
    return refund;
  });
  giveBack.begin(purchase);
  giveBack.reason.value = 'By mistake';
  giveBack.submit();
  giveBack.submit();
  await clock.advance(20_000);
  expect(sent).toHaveLength(3);
  expect(giveBack.fault.value).not.toBeNull();
  await giveBack.submit();
  expect(new Set(sent.map(({ key }) => key))).toEqual(new Set(['key-1']));
  expect(giveBack.done.value).not.toBeNull();
});

test('tokens that were spent meanwhile: the refusal tells what is left, and the form goes by it', async () => {
  const told = { tokens: 500, unspentTokens: 30, refundPaise: 3_270, obstacle: 'spent' };
  const problem = { type: 'x', code: 'not-refundable' as const, title: 'No', status: 409, ...told };
  let refuses = true;
  const { giveBack, sent } = createScene(async () => {
    if (refuses) throw new ApiError('not-refundable', 409, problem, 'No');
    return refund;
  });
  giveBack.begin(purchase);
  giveBack.reason.value = 'By mistake';
  await giveBack.submit();
  expect(giveBack.fault.value).toContain('30 tokens');
  expect(giveBack.asked.value?.returnable).toEqual({ ...told, obstacle: null });
  refuses = false;
  await giveBack.submit();
  expect(sent.map(({ body }) => body)).toMatchObject([{ tokens: 320 }, { tokens: 30 }]);
  giveBack.begin(purchase);
  expect(giveBack.asked.value).toEqual(purchase);
  expect(giveBack.fault.value).toBeNull();
});
