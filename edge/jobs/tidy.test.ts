// Tidying: what nobody needs any more goes after its time, and what is still needed stays.
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { forgetWebhooks, markWebhookProcessed, recordWebhook } from '#db';
import { createTestDatabase, type TestDatabase } from '../../testing/database.ts';
import { tidy, webhooksKeptSeconds } from './tidy.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
beforeEach(() => database.asOwner('delete from webhook_events'));
afterAll(() => database.close());

async function webhook(gatewayEventId: string, secondsAgo: number): Promise<void> {
  await recordWebhook(database.db, { gatewayEventId, type: 'payment.captured', body: '{}' });
  await database.asOwner(
    `update webhook_events set received_at = now() - make_interval(secs => $2)
      where gateway_event_id = $1`,
    [gatewayEventId, secondsAgo],
  );
}

test('what a webhook said is forgotten after its time, applied or not; that it came is not', async () => {
  await webhook('old', webhooksKeptSeconds + 1);
  await markWebhookProcessed(database.db, 'old');
  await webhook('old-and-refused', webhooksKeptSeconds + 1);
  await markWebhookProcessed(database.db, 'old-and-refused', 'not-found');
  await webhook('younger', webhooksKeptSeconds - 60);
  await markWebhookProcessed(database.db, 'younger');

  expect(await tidy(database)).toEqual({ sessions: 0, webhooks: 2 });
  expect(await tidy(database)).toEqual({ sessions: 0, webhooks: 0 });
  expect(
    await database.asOwner(
      'select gateway_event_id as id, body, refusal from webhook_events order by gateway_event_id',
    ),
  ).toEqual([
    { id: 'old', body: '', refusal: null },
    { id: 'old-and-refused', body: '', refusal: 'not-found' },
    { id: 'younger', body: '{}', refusal: null },
  ]);
  const again = { gatewayEventId: 'old', type: 'payment.captured', body: '{}' };
  expect(await recordWebhook(database.db, again)).toBe(false);
});

test('so many are forgotten in one call, and the others in the next', async () => {
  for (const id of ['one', 'two', 'three']) await webhook(id, 100);
  expect(await forgetWebhooks(database.db, 50, 2)).toBe(2);
  expect(await forgetWebhooks(database.db, 50, 2)).toBe(1);
  expect(await forgetWebhooks(database.db, 50, 2)).toBe(0);
});
