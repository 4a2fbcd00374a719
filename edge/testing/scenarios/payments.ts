// Scenarios of buying, tipping and giving back: what viewers do.
import { createHmac } from 'node:crypto';
import { z } from 'zod';
import {
  createStream,
  listRoomEvents,
  observeSettlement,
  readBalance,
  transitionStream,
} from '#db';
import { gatewayKeyId, gatewayKeySecret, newKey } from '../../../testing/edge.ts';
import { relayEvents } from '../../jobs/relay.ts';
import type { Member } from '../cast.ts';
import { deliver, eventOf, type Scenario, type Send, type World } from './scenario.ts';

export function paymentScenarios({ edge, cast }: World): Scenario[] {
  const { database } = edge;
  const balanceOf = (who: Member) => readBalance(database.db, who.id);
  const creditsOf = async (who: Member) =>
    (
      await database.asOwner<{ count: number }>(
        `select count(*)::int from ledger.journal j join payments p on p.journal_id = j.id
          join orders o on o.id = p.order_id where o.user_id = $1 and j.kind = 'purchase'`,
        [who.id],
      )
    )[0]?.count;
  const bought = async (who: Member) => ({
    balance: await balanceOf(who),
    credits: await creditsOf(who),
    orders: await database.asOwner('select state from orders where user_id = $1', [who.id]),
  });

  const verify = (who: Member, gatewayOrderId: string, gatewayPaymentId: string) => (send: Send) =>
    send(who, 'POST', '/v1/payments/verify', {
      body: {
        gatewayOrderId,
        gatewayPaymentId,
        signature: createHmac('sha256', gatewayKeySecret)
          .update(`${gatewayOrderId}|${gatewayPaymentId}`)
          .digest('hex'),
      },
    });

  async function paidOrder() {
    const buyer = await cast.member();
    const { gatewayOrderId } = await cast.order(buyer);
    const { payment } = await edge.control.pay(gatewayOrderId);
    return { buyer, gatewayOrderId, payment };
  }

  /** One that is known here as well. */
  async function verifiedOrder() {
    const paid = await paidOrder();
    const { buyer, gatewayOrderId, payment } = paid;
    await verify(
      buyer,
      gatewayOrderId,
      payment.id,
    )((who, method, path, options) => (who ?? buyer).call(method, path, options));
    return paid;
  }

  /** Somebody gives a payment back at the gateway. */
  async function giveBackAtGateway(gatewayPaymentId: string): Promise<{ id: string }> {
    const answer = await fetch(`${edge.sandbox.url}/v1/payments/${gatewayPaymentId}/refund`, {
      method: 'POST',
      headers: { authorization: `Basic ${btoa(`${gatewayKeyId}:${gatewayKeySecret}`)}` },
    });
    await edge.control.settled();
    return z.object({ id: z.string() }).parse(await answer.json());
  }

  /** What is left of somebody's purchases, and what has gone back of them. */
  const givenBack = async (who: Member) => ({
    ...(await bought(who)),
    refunds: await database.asOwner('select state, tokens from refunds where user_id = $1', [
      who.id,
    ]),
  });

  const ticketedStream = async () =>
    createStream(
      database.db,
      (await cast.member('performer')).id,
      { title: 'A show', category: 'music', visibility: 'ticketed', entryTokens: 20 },
      newKey(),
    );
  const entriesOf = async (who: Member) => ({
    balance: await balanceOf(who),
    entries: await database.asOwner(
      `select r.state, r.tokens from stream_entries e join ledger.reservations r on r.id = e.reservation_id
        where e.user_id = $1`,
      [who.id],
    ),
  });

  const disputed = {
    balance: 0,
    credits: 1,
    orders: [{ state: 'paid' }],
    disputes: [{ state: 'open' }],
    cases: ['dispute'],
  };
  const disputeOf = async (buyer: Member, dispute: { id: string }) => ({
    ...(await bought(buyer)),
    disputes: await database.asOwner('select state from disputes where gateway_dispute_id = $1', [
      dispute.id,
    ]),
    cases: await cast.cases(dispute.id),
  });

  /** An order whose payments the gateway does not capture by itself. */
  async function authorizedOrder() {
    const buyer = await cast.member();
    const order = await cast.order(buyer);
    const opened = await fetch(`${edge.sandbox.url}/v1/orders`, {
      method: 'POST',
      headers: { authorization: `Basic ${btoa(`${gatewayKeyId}:${gatewayKeySecret}`)}` },
      body: JSON.stringify({ amount: order.amountPaise, currency: 'INR', payment_capture: 0 }),
    });
    const { id: gatewayOrderId } = z.object({ id: z.string() }).parse(await opened.json());
    await database.asOwner('update orders set gateway_order_id = $2 where id = $1', [
      order.id,
      gatewayOrderId,
    ]);
    const { payment } = await edge.control.pay(gatewayOrderId);
    return { buyer, gatewayOrderId, payment };
  }

  /** A refund of a whole payment that the gateway knows. */
  async function refund(state: 'asked' | 'approved') {
    const { buyer, payment } = await verifiedOrder();
    const { body } = await buyer.act('POST', `/v1/payments/${payment.id}/refunds`, { reason: 'x' });
    const staff = await cast.member('admin');
    const decide = (send: Send) =>
      send(staff, 'POST', `/v1/admin/refunds/${body.id}/decision`, { body: { approve: true } });
    if (state === 'approved') {
      await decide((who, method, path, options) => (who ?? staff).call(method, path, options));
    }
    const end = async () => ({
      balance: await balanceOf(buyer),
      refunds: await database.asOwner(
        'select state, tokens, amount_paise from refunds where user_id = $1',
        [buyer.id],
      ),
      atGateway: (await edge.parts.deps.gateway.listRefunds(payment.id)).length,
    });
    return { decide, end };
  }

  return [
    {
      points: ['order.placed', 'order.opened', 'order.kept'],
      ends: { balance: 50, credits: 1, orders: [{ state: 'paid' }] },
      async begin() {
        const buyer = await cast.member();
        const { body } = await edge.call('GET', '/v1/payments/packages');
        const headers = { 'idempotency-key': newKey() };
        let gatewayOrderId = '';
        return {
          act: async (send) => {
            const answer = await send(buyer, 'POST', '/v1/payments/orders', {
              body: { packageId: body.packages[0].id },
              headers,
            });
            gatewayOrderId = answer.body.gatewayOrderId;
            return answer;
          },
          // The order that the buyer was shown is the one that can be paid.
          end: async () => {
            const { payment } = await edge.control.pay(gatewayOrderId);
            await verify(
              buyer,
              gatewayOrderId,
              payment.id,
            )((who, method, path, options) => (who ?? buyer).call(method, path, options));
            return bought(buyer);
          },
        };
      },
    },
    {
      points: ['upi.reopened', 'upi.begun', 'upi.noted'],
      ends: { balance: 50, credits: 1, orders: [{ state: 'paid' }] },
      async begin() {
        const buyer = await cast.member();
        const order = await cast.order(buyer);
        let gatewayPaymentId = '';
        return {
          act: async (send) => {
            const answer = await send(buyer, 'POST', `/v1/payments/orders/${order.id}/upi`);
            gatewayPaymentId = answer.body.gatewayPaymentId;
            return answer;
          },
          end: async () => {
            await edge.control.approve(gatewayPaymentId);
            await verify(
              buyer,
              order.gatewayOrderId,
              gatewayPaymentId,
            )((who, method, path, options) => (who ?? buyer).call(method, path, options));
            return bought(buyer);
          },
        };
      },
    },
    {
      points: [
        'verify.order-found',
        'verify.signature-checked',
        'verify.payment-fetched',
        'payment.noted',
      ],
      ends: { balance: 50, credits: 1, orders: [{ state: 'paid' }] },
      async begin() {
        const { buyer, gatewayOrderId, payment } = await paidOrder();
        return { act: verify(buyer, gatewayOrderId, payment.id), end: () => bought(buyer) };
      },
    },
    {
      points: ['payment.refunds-listed'],
      ends: {
        balance: 0,
        credits: 1,
        orders: [{ state: 'paid' }],
        refunds: [{ state: 'processed', tokens: '50' }],
      },
      async begin() {
        const { buyer, gatewayOrderId, payment } = await paidOrder();
        await giveBackAtGateway(payment.id);
        return { act: verify(buyer, gatewayOrderId, payment.id), end: () => givenBack(buyer) };
      },
    },
    {
      points: ['payment.captured', 'payment.credited'],
      ends: { balance: 50, credits: 1, orders: [{ state: 'paid' }] },
      async begin() {
        const { buyer, gatewayOrderId, payment } = await authorizedOrder();
        return { act: verify(buyer, gatewayOrderId, payment.id), end: () => bought(buyer) };
      },
    },
    {
      points: [
        'webhook.signature-checked',
        'webhook.recorded',
        'webhook.applied',
        'webhook.marked',
      ],
      ends: {
        balance: 50,
        credits: 1,
        orders: [{ state: 'paid' }],
        kept: [{ is_processed: true, refusal: null }],
      },
      async begin() {
        const { buyer, payment } = await paidOrder();
        const event = await eventOf(edge, payment.id, 'payment.captured');
        return {
          act: deliver(event),
          end: async () => ({
            ...(await bought(buyer)),
            kept: await database.asOwner(
              `select processed_at is not null as is_processed, refusal from webhook_events
                where gateway_event_id = $1`,
              [event.id],
            ),
          }),
        };
      },
    },
    {
      points: ['webhook.subject-taken', 'webhook.refund-noted'],
      ends: {
        balance: 0,
        credits: 1,
        orders: [{ state: 'paid' }],
        refunds: [{ state: 'processed', tokens: '50' }],
      },
      async begin() {
        const { buyer, payment } = await paidOrder();
        const refund = await giveBackAtGateway(payment.id);
        const event = await eventOf(edge, refund.id, 'refund.processed');
        return { act: deliver(event), end: () => givenBack(buyer) };
      },
    },
    {
      points: ['webhook.dispute-noted'],
      ends: disputed,
      async begin() {
        const { buyer, payment } = await paidOrder();
        const dispute = await edge.control.openDispute(payment.id);
        const event = await eventOf(edge, dispute.id, 'payment.dispute.created');
        return { act: deliver(event), end: () => disputeOf(buyer, dispute) };
      },
    },
    {
      points: ['webhook.case-opened'],
      ends: ['webhook-refused'],
      async begin() {
        const event = `invoice.${cast.unique('x')}`;
        return {
          act: deliver({ id: newKey(), body: JSON.stringify({ event, payload: {} }) }),
          end: () => cast.cases(event),
        };
      },
    },
    {
      points: ['reconcile.taken', 'reconcile.listed'],
      ends: { balance: 50, credits: 1, orders: [{ state: 'paid' }] },
      async begin() {
        const { buyer } = await paidOrder();
        return { act: 'reconcile', end: () => bought(buyer) };
      },
    },
    {
      points: ['tip.posted', 'tip.published'],
      ends: { balance: 43, tips: [{ amount_tokens: '7' }], events: 1, untold: 0 },
      async begin() {
        const fan = await cast.fan();
        const { streamId } = await cast.live();
        const headers = { 'idempotency-key': newKey() };
        return {
          act: (send) =>
            send(fan, 'POST', '/v1/tips', { body: { streamId, amountTokens: 7 }, headers }),
          end: async () => {
            // What was stored and not told is told by the relay.
            await database.asOwner(
              `update events set created_at = created_at - interval '1 minute' where stream_id = $1`,
              [streamId],
            );
            await relayEvents(edge.parts.deps);
            const { events } = await listRoomEvents(database.db, streamId, null);
            const [told] = await database.asOwner<{ untold: number }>(
              'select count(*)::int as untold from events where stream_id = $1 and published_at is null',
              [streamId],
            );
            return {
              balance: await balanceOf(fan),
              tips: await database.asOwner(
                'select amount_tokens from ledger.tips where viewer_id = $1',
                [fan.id],
              ),
              events: events.filter(({ type }) => type === 'tip.received').length,
              untold: told?.untold,
            };
          },
        };
      },
    },
    {
      points: ['entry.bought'],
      ends: { balance: 30, entries: [{ state: 'open', tokens: '20' }] },
      async begin() {
        const fan = await cast.fan();
        const { id } = await ticketedStream();
        const headers = { 'idempotency-key': newKey() };
        return {
          act: (send) =>
            send(fan, 'POST', `/v1/streams/${id}/entry`, { body: { entryTokens: 20 }, headers }),
          end: () => entriesOf(fan),
        };
      },
    },
    {
      points: ['entries.settled'],
      ends: { balance: 30, entries: [{ state: 'captured', tokens: '20' }] },
      async begin() {
        const fan = await cast.fan();
        const { id } = await ticketedStream();
        await fan.act('POST', `/v1/streams/${id}/entry`, { entryTokens: 20 });
        await transitionStream(database.db, id, 'starting');
        await transitionStream(database.db, id, 'live');
        return { act: 'entries', end: () => entriesOf(fan) };
      },
    },
    {
      points: ['refund.requested'],
      ends: { balance: 30, refunds: [{ state: 'requested', tokens: '20' }] },
      async begin() {
        const fan = await cast.fan();
        const headers = { 'idempotency-key': newKey() };
        return {
          act: (send) =>
            send(fan, 'POST', `/v1/payments/${fan.gatewayPaymentId}/refunds`, {
              body: { tokens: 20, reason: 'x' },
              headers,
            }),
          end: async () => ({
            balance: await balanceOf(fan),
            refunds: await database.asOwner(
              'select state, tokens from refunds where user_id = $1',
              [fan.id],
            ),
          }),
        };
      },
    },
    {
      points: ['refund.decided'],
      ends: {
        balance: 0,
        refunds: [{ state: 'approved', tokens: '50', amount_paise: '5900' }],
        atGateway: 0,
      },
      async begin() {
        const { decide, end } = await refund('asked');
        return { act: decide, end };
      },
    },
    {
      points: ['refund.taken', 'refund.sent', 'refund.noted'],
      ends: {
        balance: 0,
        refunds: [{ state: 'processed', tokens: '50', amount_paise: '5900' }],
        atGateway: 1,
      },
      async begin() {
        const { end } = await refund('approved');
        return { act: 'refunds', end };
      },
    },
    {
      points: ['dispute.listed', 'dispute.noted'],
      ends: disputed,
      async begin() {
        const { buyer, payment } = await verifiedOrder();
        const dispute = await edge.control.openDispute(payment.id);
        return { act: 'disputes', end: () => disputeOf(buyer, dispute) };
      },
    },
    {
      // Nobody has told of its payment either.
      points: ['dispute.payment-fetched', 'dispute.payment-taken'],
      ends: { ...disputed, cases: ['dispute', 'dispute-of-unknown-payment'] },
      async begin() {
        const { buyer, payment } = await paidOrder();
        const dispute = await edge.control.openDispute(payment.id);
        return { act: 'disputes', end: () => disputeOf(buyer, dispute) };
      },
    },
    {
      points: [
        'settlement.unknown-found',
        'settlement.refund-fetched',
        'settlement.payment-fetched',
        'settlement.refund-noted',
        'settlement.entity-taken',
      ],
      ends: {
        balance: 0,
        credits: 1,
        orders: [{ state: 'paid' }],
        refunds: [{ state: 'processed', tokens: '50' }],
      },
      async begin() {
        const { buyer, payment } = await paidOrder();
        await giveBackAtGateway(payment.id);
        // A settlement brings something, and this payment comes with another one.
        await Promise.all([paidOrder(), paidOrder()]);
        await edge.control.settle({ leave_out: [payment.id] });
        return { act: 'settlements', end: () => givenBack(buyer) };
      },
    },
    {
      // The settlement is all that tells of the dispute.
      points: ['settlement.dispute-fetched'],
      ends: disputed,
      async begin() {
        const { buyer, payment } = await verifiedOrder();
        const dispute = await edge.control.openDispute(payment.id, {
          amount_deducted: payment.amount,
        });
        // A settlement brings something.
        await paidOrder();
        await edge.control.settle();
        return { act: 'settlements', end: () => disputeOf(buyer, dispute) };
      },
    },
    {
      points: ['settlement.case-opened'],
      ends: ['settlement-changed'],
      async begin() {
        const { payment } = await verifiedOrder();
        const { settlement } = await edge.control.settle();
        // What was booked of it said something else.
        await observeSettlement(database.db, {
          settlementId: settlement.id,
          utr: settlement.utr,
          settledAt: new Date(settlement.created_at * 1000),
          items: [
            {
              entityId: payment.id,
              type: 'payment',
              creditPaise: payment.amount,
              debitPaise: 0,
              amountPaise: payment.amount,
              feePaise: 0,
              taxPaise: 0,
              disputeId: null,
            },
          ],
        });
        return { act: 'settlements', end: () => cast.cases(settlement.id) };
      },
    },
    {
      points: ['settlement.listed', 'settlement.booked', 'settlement.late-found'],
      ends: { payment: [{ is_settled: true }], booked: [{ count: 1 }], cases: [] },
      async begin() {
        const { payment } = await verifiedOrder();
        const { settlement } = await edge.control.settle();
        return {
          act: 'settlements',
          end: async () => ({
            payment: await database.asOwner(
              'select settlement_id = $2 as is_settled from payments where gateway_payment_id = $1',
              [payment.id, settlement.id],
            ),
            booked: await database.asOwner(
              'select count(*)::int from ledger.journal where idempotency_key = $1',
              [`settlement:${settlement.id}`],
            ),
            cases: await cast.cases(settlement.id),
          }),
        };
      },
    },
  ];
}
