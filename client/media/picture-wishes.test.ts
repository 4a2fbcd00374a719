import { beforeEach, expect, test } from 'vitest';
import { createManualClock, type ManualClock, settled } from '../testing/manual-clock.ts';
import {
  createPictureWishes,
  type PictureWishes,
  wishRetriesMax,
  wishRetryMs,
} from './picture-wishes.ts';
import type { RoomSocket } from './room-socket.ts';

type Asked = { what: string; settle: () => void; fail: () => void };

let clock: ManualClock;
let asked: Asked[];
let wishes: PictureWishes;

beforeEach(() => {
  clock = createManualClock();
  asked = [];
  const request: RoomSocket['request'] = (type, fields) => {
    const { promise, resolve, reject } = Promise.withResolvers<never>();
    const [layer, frames] = ['spatialLayer', 'temporalLayer'].map((one) =>
      Reflect.get(fields, one),
    );
    asked.push({
      what: layer === undefined ? type : `${type} ${layer}.${frames}`,
      settle: () => resolve({} as never),
      fail: () => reject(new Error('no')),
    });
    return promise;
  };
  wishes = createPictureWishes({ request }, clock);
  wishes.begin('a', { isPaused: true, layer: null });
});

const said = () => asked.map(({ what }) => what);
const large = { isPaused: false, layer: 2 };
const small = { isPaused: false, layer: 0 };
const paused = { isPaused: true, layer: 0 };

/** Answers all that is open, again and again, until nothing is asked any more. */
async function answerAll(): Promise<void> {
  for (let done = 0; done < asked.length; ) {
    for (const { settle } of asked.slice(done)) settle();
    done = asked.length;
    await settled();
  }
}

test('a picture begins in the layer that is wanted, with all the frames that the layer has', async () => {
  wishes.want('a', large);
  expect(said()).toEqual(['consumer.layers 2.3', 'consumer.resume']);
  await answerAll();
  wishes.want('a', large);
  expect(asked).toHaveLength(2);
});

test('a picture of which no layer is known is only begun', () => {
  wishes.want('a', { isPaused: false, layer: null });
  expect(said()).toEqual(['consumer.resume']);
});

test('while one wish is on its way the others wait, and of these the newest counts', async () => {
  wishes.want('a', large);
  await answerAll();
  asked.length = 0;
  wishes.want('a', small);
  for (const layer of [1, 2, 0, 1]) wishes.want('a', { isPaused: false, layer });
  expect(said()).toEqual(['consumer.layers 0.3']);
  await answerAll();
  expect(said()).toEqual(['consumer.layers 0.3', 'consumer.layers 1.3']);
});

test('what was wanted on the way and is not any more is never told', async () => {
  wishes.want('a', large);
  await answerAll();
  asked.length = 0;
  wishes.want('a', small);
  wishes.want('a', paused);
  wishes.want('a', small);
  await answerAll();
  expect(said()).toEqual(['consumer.layers 0.3']);
});

test('a paused picture asks for its layer when it goes on, before it does', async () => {
  wishes.want('a', large);
  await answerAll();
  wishes.want('a', paused);
  await answerAll();
  asked.length = 0;
  wishes.want('a', { isPaused: true, layer: 1 });
  expect(asked).toEqual([]);
  wishes.want('a', { isPaused: false, layer: 1 });
  expect(said()).toEqual(['consumer.layers 1.3', 'consumer.resume']);
});

test('one picture does not wait for another', () => {
  wishes.begin('b', { isPaused: true, layer: null });
  wishes.want('a', large);
  wishes.want('b', small);
  expect(said()).toHaveLength(4);
});

test('a wish that is refused is told again after a while, and not for ever', async () => {
  wishes.want('a', small);
  for (let attempt = 0; attempt <= wishRetriesMax; attempt += 1) {
    expect(asked).toHaveLength(2 * (attempt + 1));
    for (const { fail } of asked) fail();
    await clock.advance(wishRetryMs);
  }
  expect(asked).toHaveLength(2 * (wishRetriesMax + 1));
  expect(clock.waiting).toBe(0);
  // Another wish has its own luck.
  wishes.want('a', large);
  await answerAll();
  expect(said().slice(-2)).toEqual(['consumer.layers 2.3', 'consumer.resume']);
});

test('of a picture that has ended nothing more is told', async () => {
  wishes.want('a', small);
  wishes.want('a', paused);
  wishes.forget('a');
  await answerAll();
  expect(said()).toEqual(['consumer.layers 0.3', 'consumer.resume']);
  wishes.begin('b', { isPaused: true, layer: null });
  wishes.want('b', small);
  for (const { fail } of asked) fail();
  await settled();
  wishes.close();
  expect(clock.waiting).toBe(0);
});
