// A tip that comes alone and one among many are written by different statements: whichever it is, it is the same tip.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../testing/database.ts';
import { createMoneyCast } from '../testing/money.ts';
import {
  createOrder,
  grantTokens,
  Refusal,
  relate,
  setBan,
  setGatewayOrder,
  setLimits,
  type TipRequest,
  type TipResult,
  tip,
  tipMany,
  transitionStream,
  verifyBooks,
} from './index.ts';

let database: TestDatabase;
let cast: ReturnType<typeof createMoneyCast>;

beforeAll(async () => {
  database = await createTestDatabase();
  cast = createMoneyCast(database);
});
afterAll(async () => {
  await database.close();
});

interface Scene {
  viewerId: string;
  performerId: string;
  streamId: string;
}

/** Takes one request to the books; a refusal is an answer as well. */
type Way = (request: TipRequest) => Promise<TipResult | Refusal>;
const oneByOne: Way = (request) =>
  tip(database.db, request).catch((error: unknown) => {
    if (error instanceof Refusal) return error;
    throw error;
  });
const amongMany: Way = async (request) => {
  const [answer] = await tipMany(database.db, [request]);
  if (!answer) throw new Error('a request without an answer');
  return answer;
};

/** What was answered and written, without the names that differ between two runs of the same scene. */
async function toldAndWritten(way: Way, scene: Scene, asked: [Partial<TipRequest>, string][]) {
  const answers: object[] = [];
  for (const [index, [request, outcome]] of asked.entries()) {
    const answer = await way({
      viewerId: scene.viewerId,
      streamId: scene.streamId,
      amountTokens: 1,
      message: 'well played',
      anonymous: false,
      idempotencyKey: `key ${index}`,
      ...request,
    });
    if (answer instanceof Refusal) {
      expect(answer.code).toBe(outcome);
      answers.push({ code: answer.code, details: answer.details });
    } else {
      expect(answer.replayed ? 'replayed' : 'taken').toBe(outcome);
      answers.push(answer);
    }
  }
  const written = await database.asOwner(
    `select j.kind, j.fingerprint, j.result, t.source, t.amount_tokens, t.earned_paise, t.fee_paise,
        t.fee_policy_version, t.message, t.anonymous, t.event_id, v.type, v.data,
        (select jsonb_agg(jsonb_build_array(e.line, a.class, a.owner_id, e.currency, e.amount, e.lot_id) order by e.line)
          from ledger.entries e join ledger.accounts a on a.id = e.account_id where e.journal_id = j.id) as entries
      from ledger.tips t join ledger.journal j on j.id = t.id join events v on v.id = t.event_id
      where t.viewer_id = $1 order by t.event_id`,
    [scene.viewerId],
  );
  const lots = await cast.lotsOf(scene.viewerId);
  return nameless(JSON.stringify({ answers, written, lots }));
}

/** Each id, number of an event, moment and hash becomes the place at which it was first met. */
function nameless(text: string): string {
  const met = new Map<string, number>();
  const place = (name: string) => {
    if (!met.has(name)) met.set(name, met.size);
    return `#${met.get(name)}`;
  };
  return text
    .replaceAll(/[0-9a-f]{64}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|p_[0-9a-f]{20}/g, place)
    .replaceAll(/(?<="(?:eventId|event_id|id)":)"?\d+"?/g, (id) => place(id.replaceAll('"', '')))
    .replaceAll(/(?<="at":)"[^"]+"/g, '"some time"');
}

async function bought(...packages: number[]): Promise<Scene> {
  const { id: viewerId } = await cast.person();
  for (const index of packages) await cast.pay(await cast.orderOf(viewerId, index));
  const { performer, streamId } = await cast.liveStream();
  return { viewerId, performerId: performer.id, streamId };
}

async function given(scene: Scene, tokens: number): Promise<Scene> {
  await grantTokens(database.db, {
    viewerId: scene.viewerId,
    staffId: (await cast.person('admin')).id,
    tokens,
    expiresAt: new Date(Date.now() + 86_400_000),
    reason: 'a gift',
    idempotencyKey: cast.unique('key'),
  });
  return scene;
}

async function banned(scene: Scene, whom: 'viewerId' | 'performerId'): Promise<Scene> {
  await setBan(database.db, {
    userId: scene[whom],
    staffId: (await cast.person('admin')).id,
    banned: true,
    reason: 'a reason',
  });
  return scene;
}

/** Each with what is asked of it, and what becomes of that. */
const scenes: Record<string, [() => Promise<Scene>, [Partial<TipRequest>, string][]]> = {
  'one lot, to its last token': [
    () => bought(0),
    [
      [{}, 'taken'],
      [{ anonymous: true }, 'taken'],
      [{ amountTokens: 48, message: '' }, 'taken'],
      [{}, 'insufficient-balance'],
    ],
  ],
  'two lots': [
    () => bought(0, 1),
    [
      [{ amountTokens: 3 }, 'taken'],
      [{ amountTokens: 60 }, 'taken'],
      [{ amountTokens: 88 }, 'insufficient-balance'],
      [{ amountTokens: 87 }, 'taken'],
    ],
  ],
  'given tokens before paid ones': [
    async () => given(await bought(0), 5),
    [
      [{ amountTokens: 3 }, 'taken'],
      [{ amountTokens: 4 }, 'taken'],
      [{ amountTokens: 40 }, 'taken'],
    ],
  ],
  'a price that leaves no fee of a single token': [
    async () => {
      const scene = await bought();
      // 100 tokens for 5,001 paise without tax: the share of one is the 50 that its performer gets.
      const [cheapest] = await database.asOwner<{ id: string }>(
        `insert into packages (name, tokens, price_paise, gst_rate_bp) values ('Bare', 100, 5901, 1800)
          returning id`,
      );
      const order = await createOrder(database.db, {
        userId: scene.viewerId,
        packageId: cheapest?.id ?? '',
        idempotencyKey: cast.unique('key'),
      });
      await cast.pay(await setGatewayOrder(database.db, order.id, cast.unique('order')));
      await database.asOwner('update packages set offered_until = now() where id = $1', [
        cheapest?.id,
      ]);
      return scene;
    },
    [
      [{}, 'taken'],
      [{ amountTokens: 99 }, 'taken'],
    ],
  ],
  'given tokens alone': [
    async () => given(await bought(), 5),
    [
      [{ amountTokens: 5 }, 'taken'],
      [{}, 'insufficient-balance'],
    ],
  ],
  'a key that is used again': [
    () => bought(0),
    [
      [{ idempotencyKey: 'one' }, 'taken'],
      [{ idempotencyKey: 'one' }, 'replayed'],
      [{ idempotencyKey: 'one', amountTokens: 2 }, 'idempotency-key-reused'],
    ],
  ],
  'amounts that are none': [
    () => bought(0),
    [0, -1, 10_001].map((amountTokens) => [{ amountTokens }, 'invalid-request']),
  ],
  'an own limit': [
    async () => {
      const scene = await bought(0);
      const none = { monthTokens: null, dayPaise: null, monthPaise: null };
      await setLimits(database.db, scene.viewerId, { ...none, dayTokens: 10 });
      return scene;
    },
    [
      [{ amountTokens: 8 }, 'taken'],
      [{ amountTokens: 3 }, 'spending-limit'],
      [{ amountTokens: 2 }, 'taken'],
    ],
  ],
  'a new account': [
    async () => {
      const scene = await bought(0);
      await cast.setRule('young_account_day_tokens', 30);
      await database.asOwner('update users set created_at = now() where id = $1', [scene.viewerId]);
      return scene;
    },
    [
      [{ amountTokens: 20 }, 'taken'],
      [{ amountTokens: 11 }, 'new-account-limit'],
      [{ amountTokens: 10 }, 'taken'],
    ],
  ],
  'a banned viewer': [async () => banned(await bought(0), 'viewerId'), [[{}, 'account-banned']]],
  'a banned performer': [
    async () => banned(await bought(0), 'performerId'),
    [[{}, 'performer-unavailable']],
  ],
  'a viewer whom the performer blocks': [
    async () => {
      const scene = await bought(0);
      await relate(database.db, { fromId: scene.performerId, kind: 'block', toId: scene.viewerId });
      return scene;
    },
    [[{}, 'blocked']],
  ],
  'a stream that has ended': [
    async () => {
      const scene = await bought(0);
      await transitionStream(database.db, scene.streamId, 'ended');
      return scene;
    },
    [[{}, 'stream-not-live']],
  ],
  'a stream of their own': [
    async () => {
      const scene = await bought(0);
      await cast.pay(await cast.orderOf(scene.performerId, 0));
      return { ...scene, viewerId: scene.performerId };
    },
    [[{}, 'self-tip']],
  ],
  'no such stream': [
    async () => ({ ...(await bought(0)), streamId: '01900000-0000-7000-8000-000000000000' }),
    [[{}, 'not-found']],
  ],
};

test.each(Object.entries(scenes))('%s', async (_, [prepare, asked]) => {
  const alone = await toldAndWritten(oneByOne, await prepare(), asked);
  expect(alone).toBe(await toldAndWritten(amongMany, await prepare(), asked));
});

test('the books balance after all of it', async () => {
  expect(await verifyBooks(database.db)).toEqual([]);
});
