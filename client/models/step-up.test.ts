import { signal } from '@preact/signals';
import { expect, test } from 'vitest';
import type { Me } from '#contract';
import { anySession } from '../testing/any-session.ts';
import { settled } from '../testing/manual-clock.ts';
import { createStepUp } from './step-up.ts';

const person = (id: string): Me => ({ ...anySession('token').user, id });

function createScene() {
  const url = signal(new URL('https://live.example/operations'));
  const user = signal<Me | null>(person('u'));
  const stepUp = createStepUp({ url, user });
  return {
    stepUp,
    /** A request of this method that the edge refuses at once. */
    refused: (method: string) => stepUp.prover(method)(),
    goTo(path: string) {
      url.value = new URL(path, url.value);
    },
    become(id: string | null) {
      user.value = id === null ? null : person(id);
    },
  };
}

/** Whether a promise is settled, and as what. */
async function stateOf(promise: Promise<boolean>): Promise<boolean | 'waiting'> {
  await settled();
  return Promise.race([promise, Promise.resolve('waiting' as const)]);
}

test('all requests that wait share one question and its outcome', async () => {
  const { stepUp, refused } = createScene();
  expect(stepUp.isAsking.value).toBe(false);
  const waiting = [refused('GET'), refused('POST'), refused('DELETE')];
  expect(stepUp.isAsking.value).toBe(true);
  stepUp.shown();
  expect(await Promise.all(waiting)).toEqual([true, true, true]);
  expect(stepUp.isAsking.value).toBe(false);
});

test('a read that was declined is not asked for again until the person is elsewhere', async () => {
  const { stepUp, refused, goTo } = createScene();
  const first = refused('GET');
  stepUp.declined();
  expect(await first).toBe(false);
  expect(await refused('GET')).toBe(false);
  expect(stepUp.isAsking.value).toBe(false);

  goTo('/studio/earnings');
  const elsewhere = refused('GET');
  expect(stepUp.isAsking.value).toBe(true);
  stepUp.shown();
  expect(await elsewhere).toBe(true);
});

test('an act asks each time, and reads wait with it', async () => {
  const { stepUp, refused } = createScene();
  const read = refused('GET');
  stepUp.declined();
  expect(await read).toBe(false);
  const act = refused('POST');
  const meanwhile = refused('GET');
  expect(stepUp.isAsking.value).toBe(true);
  stepUp.declined();
  expect(await Promise.all([act, meanwhile])).toEqual([false, false]);
  const again = refused('POST');
  stepUp.shown();
  expect(await again).toBe(true);
  // After that a read asks anew.
  const later = refused('GET');
  expect(await stateOf(later)).toBe('waiting');
});

test('the person may ask for it themselves, and a proof lets reads go on', async () => {
  const { stepUp, refused } = createScene();
  refused('GET');
  stepUp.declined();
  const asked = stepUp.ask();
  expect(stepUp.isAsking.value).toBe(true);
  stepUp.shown();
  expect(await asked).toBe(true);
});

test('a request that was under way when a factor was shown is sent again without a question', async () => {
  const { stepUp, refused } = createScene();
  const late = stepUp.prover('GET');
  const first = refused('POST');
  stepUp.shown();
  expect(await first).toBe(true);
  expect(await late()).toBe(true);
  expect(stepUp.isAsking.value).toBe(false);
});

test('a question is left with the page, and with the person', async () => {
  const { stepUp, refused, goTo, become } = createScene();
  const here = refused('POST');
  goTo('/settings/security');
  expect(await here).toBe(false);
  expect(stepUp.isAsking.value).toBe(false);

  const mine = refused('POST');
  // The same person, after a renewal.
  become('u');
  expect(await stateOf(mine)).toBe('waiting');
  become(null);
  expect(await mine).toBe(false);
});
