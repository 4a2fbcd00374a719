import { expect, test } from 'vitest';
import type { TrialBalance } from '#contract';
import { createFakeStreams } from '../testing/fake-streams.ts';
import { createManualClock, settled } from '../testing/manual-clock.ts';
import { refusalOf } from '../testing/refusal.ts';
import { createOperations, operationsRefreshMs } from './operations.ts';

const books: TrialBalance = { balanced: true, rows: [] };

function createScene() {
  let isProven = false;
  let reads = 0;
  const questions: PromiseWithResolvers<boolean>[] = [];
  const clock = createManualClock();
  const api = {
    streams: createFakeStreams({ listLive: async () => ({ streams: [], nextCursor: null }) }),
    async trialBalance() {
      reads += 1;
      if (!isProven) throw refusalOf('step-up-needed');
      return books;
    },
  };
  const model = createOperations({
    api,
    clock,
    toasts: { show: () => {} },
    stepUp: {
      ask() {
        const asked = Promise.withResolvers<boolean>();
        questions.push(asked);
        return asked.promise;
      },
    },
  });
  return {
    model,
    clock,
    questions,
    reads: () => reads,
    prove: () => {
      isProven = true;
    },
    lapse: () => {
      isProven = false;
    },
  };
}

test('books that were declined say so, and open by the button that asks again', async () => {
  const { model, questions, prove, reads } = createScene();
  await settled();
  expect(model.balance.needsProof.value).toBe(true);
  const declined = model.openBooks();
  questions[0]?.resolve(false);
  await declined;
  expect(reads()).toBe(1);
  expect(model.balance.needsProof.value).toBe(true);

  const opened = model.openBooks();
  prove();
  questions[1]?.resolve(true);
  await opened;
  expect(model.balance.value.value).toEqual(books);
  expect(model.balance.needsProof.value).toBe(false);
  model.close();
});

test('books that are open stay in sight when the day of the proof is over', async () => {
  const { model, clock, prove, lapse } = createScene();
  prove();
  await model.balance.load();
  lapse();
  await clock.advance(operationsRefreshMs);
  expect(model.balance.value.value).toEqual(books);
  expect(model.balance.needsProof.value).toBe(true);
  model.close();
});
