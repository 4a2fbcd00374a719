// Refunds and invoices over HTTP: unspent tokens given back, and the papers of what was bought.
import pg from 'pg';
import { extractText, getDocumentProxy } from 'unpdf';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { readBalance, verifyBooks } from '#db';
import { newKey, startTestEdge, type TestEdge } from '../../testing/edge.ts';
import { sendRefunds } from '../jobs/refunds.ts';
import { numberInvoices } from '../jobs/upkeep.ts';
import type { PaymentGateway } from '../services/gateway.ts';
import { GatewayRefusal } from '../services/gateway-answer.ts';
import { invoiceStyleHash } from '../services/invoice-html.ts';
import { type Cast, createCast, type Member, refused } from '../testing/cast.ts';

let edge: TestEdge;
let cast: Cast;
beforeAll(async () => {
  edge = await startTestEdge();
  cast = createCast(edge);
});
afterEach(() => edge.control.resetFaults());
afterAll(async () => {
  const wrong = await verifyBooks(edge.database.db);
  await edge.close();
  expect(wrong).toEqual([]);
});

const balanceOf = (who: { id: string }) => readBalance(edge.database.db, who.id);

/** A buyer whose payment the gateway knows. */
async function buyer() {
  const made = await cast.member();
  const order = await cast.order(made);
  const { payment } = await edge.control.pay(order.gatewayOrderId);
  await edge.control.settled();
  return { ...made, ...order, id: made.id, gatewayPaymentId: payment.id };
}

const ask = (who: Member, gatewayPaymentId: string, body: object, key = newKey()) =>
  who.act('POST', `/v1/payments/${gatewayPaymentId}/refunds`, body, key);

async function decide(refundId: string, approve: boolean, by?: Member) {
  const staff = by ?? (await cast.member('admin'));
  return staff.call('POST', `/v1/admin/refunds/${refundId}/decision`, { body: { approve } });
}

async function send(): Promise<void> {
  await edge.database.asOwner(
    `update refunds set next_attempt_at = now() where next_attempt_at is not null`,
  );
  await sendRefunds(edge.parts.deps);
  await edge.control.settled();
}

const refundsOf = async (who: Member) =>
  (await who.call('GET', '/v1/payments/refunds')).body.refunds;

describe('refunds', () => {
  test('unspent tokens are set aside at once, and the money goes back when somebody agrees', async () => {
    const fan = await buyer();
    const { streamId } = await cast.live();
    await cast.tip(fan.id, streamId, 20);
    // What the list and the invoice say beforehand is what comes of it.
    const returnable = { tokens: 50, unspentTokens: 30, refundPaise: 3_540, obstacle: null };
    const { body } = await fan.call('GET', '/v1/wallet/transactions?kind=purchase');
    expect(body.transactions).toMatchObject([{ returnable }]);
    const papers = await fan.call('GET', '/v1/payments/invoices');
    expect(papers.body.invoices).toMatchObject([{ tokens: 50, returnable }]);
    const asked = await ask(fan, fan.gatewayPaymentId, { reason: 'I changed my mind' });
    expect(asked.status).toBe(201);
    // 30 of 50 tokens for which 59 rupees were paid.
    expect(asked.body).toMatchObject({ tokens: 30, amountPaise: 3_540, state: 'requested' });
    expect(await balanceOf(fan)).toBe(0);
    expect((await decide(asked.body.id, true)).body).toMatchObject({ state: 'approved' });
    await send();
    expect(await refundsOf(fan)).toMatchObject([{ id: asked.body.id, state: 'processed' }]);
    expect(await balanceOf(fan)).toBe(0);
  });

  test('part of them, and the rest later; the same key asks once', async () => {
    const fan = await buyer();
    const key = newKey();
    const body = { tokens: 7, reason: 'seven' };
    const [one, two] = await Promise.all([
      ask(fan, fan.gatewayPaymentId, body, key),
      ask(fan, fan.gatewayPaymentId, body, key),
    ]);
    expect(one.body).toEqual(two.body);
    expect(await balanceOf(fan)).toBe(43);
    const other = await ask(fan, fan.gatewayPaymentId, { tokens: 8, reason: 'seven' }, key);
    expect(refused(other)).toEqual([409, 'idempotency-key-reused']);
    const rest = await ask(fan, fan.gatewayPaymentId, { reason: 'all' });
    expect(rest.body.tokens).toBe(43);
    expect(one.body.amountPaise + rest.body.amountPaise).toBe(5_900);
  });

  test('what was spent, asked for in vain or not bought is not given back', async () => {
    const fan = await buyer();
    const stranger = await buyer();
    const { gatewayPaymentId } = fan;
    const wrong: [Member, string, object, number, string][] = [
      [fan, gatewayPaymentId, { tokens: 51, reason: 'x' }, 409, 'not-refundable'],
      [fan, gatewayPaymentId, { tokens: 0, reason: 'x' }, 422, 'invalid-request'],
      [fan, gatewayPaymentId, { tokens: -5, reason: 'x' }, 422, 'invalid-request'],
      [fan, gatewayPaymentId, { tokens: 1.5, reason: 'x' }, 422, 'invalid-request'],
      [fan, gatewayPaymentId, { tokens: '5', reason: 'x' }, 422, 'invalid-request'],
      [fan, gatewayPaymentId, { reason: ' ' }, 422, 'invalid-request'],
      [fan, gatewayPaymentId, { reason: 'x', amountPaise: 1 }, 422, 'invalid-request'],
      [fan, 'pay_unknown', { reason: 'x' }, 404, 'not-found'],
      [fan, "pay_' or 1=1", { reason: 'x' }, 422, 'invalid-request'],
      [stranger, gatewayPaymentId, { reason: 'x' }, 404, 'not-found'],
    ];
    for (const [who, payment, body, status, code] of wrong) {
      const answer = await ask(who, payment, body);
      expect(refused(answer), JSON.stringify(body)).toEqual([status, code]);
    }
    const path = `/v1/payments/${gatewayPaymentId}/refunds`;
    const body = { reason: 'x' };
    expect(refused(await fan.call('POST', path, { body }))).toEqual([
      400,
      'missing-idempotency-key',
    ]);
    expect(refused(await edge.call('POST', path, { body }))).toEqual([401, 'unauthenticated']);
    expect(refused(await edge.call('GET', '/v1/payments/refunds'))).toEqual([
      401,
      'unauthenticated',
    ]);
    expect(await balanceOf(fan)).toBe(50);
    expect((await ask(fan, gatewayPaymentId, { tokens: 51, reason: 'x' })).body).toMatchObject({
      unspentTokens: 50,
      refundPaise: 5_900,
      obstacle: 'spent',
    });
    await edge.database.asOwner(
      `update payments set captured_at = now() - interval '91 days' where gateway_payment_id = $1`,
      [gatewayPaymentId],
    );
    expect(refused(await ask(fan, gatewayPaymentId, { reason: 'late' }))).toEqual([
      409,
      'not-refundable',
    ]);
  });

  test('refused by staff, or failed at the bank, the tokens come back', async () => {
    const fan = await buyer();
    const first = await ask(fan, fan.gatewayPaymentId, { reason: 'no' });
    await decide(first.body.id, false);
    expect(await balanceOf(fan)).toBe(50);
    await edge.control.setFaults({ refunds: { failRate: 1 } });
    const second = await ask(fan, fan.gatewayPaymentId, { reason: 'yes' });
    await decide(second.body.id, true);
    await send();
    expect(await balanceOf(fan)).toBe(50);
    expect((await refundsOf(fan)).map(({ state }: { state: string }) => state)).toEqual([
      'failed',
      'rejected',
    ]);
    expect(await cast.cases(second.body.id)).toEqual(['refund-failed']);
  });

  test('refused by the gateway for good, the tokens come back', async () => {
    // Paid in the books alone: the gateway knows no such payment.
    const fan = await cast.fan();
    const asked = await ask(fan, fan.gatewayPaymentId, { reason: 'x' });
    await decide(asked.body.id, true);
    await send();
    expect(await balanceOf(fan)).toBe(50);
    expect(await refundsOf(fan)).toMatchObject([{ state: 'failed' }]);
  });

  test.each(['cut-before', 'cut-after', 'error-after'] as const)(
    'a refund whose answer is lost (%s) is made once',
    async (fault) => {
      const fan = await buyer();
      await edge.control.setFaults({
        answers: { rules: [{ fault, method: 'POST', path: '/refund', times: 1 }] },
        webhooks: { mode: 'manual' },
      });
      const asked = await ask(fan, fan.gatewayPaymentId, { reason: 'x' });
      await decide(asked.body.id, true);
      await send();
      expect(await refundsOf(fan)).toMatchObject([{ state: 'approved' }]);
      await send();
      await send();
      expect(await refundsOf(fan)).toMatchObject([{ state: 'processed' }]);
      const made = await edge.parts.deps.gateway.listRefunds(fan.gatewayPaymentId);
      expect(made).toHaveLength(1);
    },
  );
});

describe('what the gateway says of a refund of ours', () => {
  async function approved() {
    const fan = await buyer();
    const { body } = await ask(fan, fan.gatewayPaymentId, { tokens: 10, reason: 'x' });
    await decide(body.id, true);
    return { fan, id: body.id as string };
  }

  test('before its sender has heard of it is of the one that was asked for', async () => {
    const { fan, id } = await approved();
    await edge.control.setFaults({
      answers: { rules: [{ fault: 'cut-after', method: 'POST', path: '/refund', times: 1 }] },
    });
    await send();
    expect(await refundsOf(fan)).toMatchObject([{ id, state: 'processed' }]);
    expect(await balanceOf(fan)).toBe(40);
    const [made] = await edge.parts.deps.gateway.listRefunds(fan.gatewayPaymentId);
    expect(await cast.cases(made?.id ?? '')).toEqual([]);
  });

  test('is not believed when it is another sum, and a question that it refuses says nothing', async () => {
    const { fan, id } = await approved();
    await edge.control.setFaults({ refunds: { holdRate: 1 }, webhooks: { mode: 'manual' } });
    await send();
    const { deps } = edge.parts;
    const [made] = await deps.gateway.listRefunds(fan.gatewayPaymentId);
    if (!made) throw new Error('no refund');
    const told = async (fetchRefund: PaymentGateway['fetchRefund']) => {
      await edge.database.asOwner('update refunds set next_attempt_at = now() where id = $1', [id]);
      await sendRefunds({ ...deps, gateway: { ...deps.gateway, fetchRefund } });
      expect(await refundsOf(fan)).toMatchObject([{ id, state: 'sent' }]);
      expect(await balanceOf(fan)).toBe(40);
    };
    await told(() =>
      Promise.reject(new GatewayRefusal(400, { description: 'no', reason: null, field: null })),
    );
    await told(async () => ({ ...made, amount: made.amount - 1, status: 'processed' }));
    expect(await cast.cases(made.id)).toEqual(['refund-mismatch']);
  });
});

describe('invoices', () => {
  const file = (who: Member, number: string, format: string) =>
    who.call(
      'GET',
      `/v1/payments/invoices/file?number=${encodeURIComponent(number)}&format=${format}`,
    );

  test('each purchase has one, each refund a credit note, and their numbers have no gaps', async () => {
    const fan = await buyer();
    const first = (await fan.call('GET', '/v1/payments/invoices')).body.invoices;
    expect(first).toMatchObject([
      {
        kind: 'invoice',
        gatewayPaymentId: fan.gatewayPaymentId,
        netPaise: 5_000,
        gstPaise: 900,
        totalPaise: 5_900,
      },
    ]);
    const asked = await ask(fan, fan.gatewayPaymentId, { tokens: 10, reason: 'x' });
    await decide(asked.body.id, true);
    await send();
    await Promise.all([numberInvoices(edge.parts.deps), numberInvoices(edge.parts.deps)]);
    const both = (await fan.call('GET', '/v1/payments/invoices')).body.invoices;
    expect(both.map(({ kind }: { kind: string }) => kind)).toEqual(['credit-note', 'invoice']);
    expect(both[0]).toMatchObject({ totalPaise: 1_180, tokens: 10, returnable: null });
    expect(both[1].returnable).toMatchObject({ unspentTokens: 40, refundPaise: 4_720 });
    const [gaps] = await edge.database.asOwner<{ gaps: number }>(
      `select coalesce(sum(gap), 0)::int as gaps from (
        select max(serial) - count(*) as gap from invoices group by series) x`,
    );
    expect(gaps).toEqual({ gaps: 0 });
  });

  test.each([
    ['invoices', 'number', 3],
    ['refunds', 'id', 2],
  ] as const)(
    '%s come in pages that leave nothing out and show nothing twice',
    async (list, key, count) => {
      const fan = await buyer();
      for (let turn = 0; turn < 2; turn += 1) {
        const asked = await ask(fan, fan.gatewayPaymentId, { tokens: 10, reason: 'x' });
        await decide(asked.body.id, true);
      }
      await send();
      await numberInvoices(edge.parts.deps);
      const seen: string[] = [];
      let cursor: string | null = '';
      while (cursor !== null) {
        const query: string = cursor && `&cursor=${encodeURIComponent(cursor)}`;
        const { body } = await fan.call('GET', `/v1/payments/${list}?limit=1${query}`);
        seen.push(...body[list].map((row: Record<string, string>) => row[key]));
        cursor = body.nextCursor;
      }
      const whole = (await fan.call('GET', `/v1/payments/${list}`)).body;
      expect(seen).toEqual(whole[list].map((row: Record<string, string>) => row[key]));
      expect(seen).toHaveLength(count);
      expect(whole.nextCursor).toBeNull();
      expect((await fan.call('GET', `/v1/payments/${list}?limit=1000`)).status).toBe(422);
    },
  );

  test('whoever numbers for long keeps nobody from their invoices', async () => {
    const [fan, late] = [await buyer(), await buyer()];
    const listed = async (who: Member) =>
      (await who.call('GET', '/v1/payments/invoices')).body.invoices.length;
    expect(await listed(fan)).toBe(1);
    const numbering = new pg.Client({ connectionString: edge.database.ownerUrl });
    await numbering.connect();
    await numbering.query('begin');
    await numbering.query('select issue_invoices(1)');
    const startedAt = performance.now();
    expect(await listed(fan)).toBe(1);
    expect(await listed(late)).toBe(0);
    expect(performance.now() - startedAt).toBeLessThan(2_000);
    await numbering.query('rollback');
    await numbering.end();
    expect(await listed(late)).toBe(1);
  });

  test('the page stands alone: its style is the only thing that its policy lets in', async () => {
    const fan = await buyer();
    const [invoice] = (await fan.call('GET', '/v1/payments/invoices')).body.invoices;
    const page = await file(fan, invoice.number, 'html');
    expect(page.status).toBe(200);
    expect(page.headers.get('content-type')).toBe('text/html; charset=utf-8');
    expect(page.headers.get('content-security-policy')).toBe(
      `default-src 'none'; style-src ${invoiceStyleHash}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
    );
    expect(page.headers.get('x-content-type-options')).toBe('nosniff');
    expect(page.headers.get('cache-control')).toBe('no-store');
    expect(page.body).toContain(invoice.number);
    expect(page.body).toContain(fan.username);
    expect(page.body).not.toContain('<script');
    // Other pages keep the policy of the app.
    const docs = await edge.call('GET', '/docs');
    expect(docs.headers.get('content-security-policy')).toContain("default-src 'self'");
  });

  test('the file is a PDF that says the same', async () => {
    const fan = await buyer();
    const [invoice] = (await fan.call('GET', '/v1/payments/invoices')).body.invoices;
    const answer = await fetch(
      `${edge.url}/v1/payments/invoices/file?number=${encodeURIComponent(invoice.number)}&format=pdf`,
      { headers: { authorization: `Bearer ${fan.token}` } },
    );
    expect(answer.headers.get('content-type')).toBe('application/pdf');
    expect(answer.headers.get('content-disposition')).toBe(
      `attachment; filename="${invoice.number.replaceAll('/', '-')}.pdf"`,
    );
    const bytes = new Uint8Array(await answer.arrayBuffer());
    expect(new TextDecoder().decode(bytes.slice(0, 5))).toBe('%PDF-');
    const { text } = await extractText(await getDocumentProxy(bytes), { mergePages: true });
    for (const words of [invoice.number, fan.username, fan.gatewayPaymentId, '59.00']) {
      expect(text).toContain(words);
    }
  });

  test('somebody else’s invoice is not found, and one that makes no sense is refused', async () => {
    const [fan, stranger] = [await buyer(), await cast.member()];
    const [invoice] = (await fan.call('GET', '/v1/payments/invoices')).body.invoices;
    for (const format of ['html', 'pdf']) {
      expect(refused(await file(stranger, invoice.number, format))).toEqual([404, 'not-found']);
      expect(refused(await file(fan, 'LP/26-27/9999999', format))).toEqual([404, 'not-found']);
    }
    expect((await stranger.call('GET', '/v1/payments/invoices')).body.invoices).toEqual([]);
    expect(refused(await file(fan, invoice.number, 'docx'))).toEqual([422, 'invalid-request']);
    for (const number of ['x'.repeat(17), '\u0000', '']) {
      expect(refused(await file(fan, number, 'html'))).toEqual([422, 'invalid-request']);
      const cursor = encodeURIComponent(number);
      expect(refused(await fan.call('GET', `/v1/payments/invoices?cursor=${cursor}`))).toEqual([
        422,
        'invalid-request',
      ]);
    }
    // Where the papers of somebody else are is nobody's to learn.
    const other = await buyer();
    const [theirs] = (await other.call('GET', '/v1/payments/invoices')).body.invoices;
    const after = `cursor=${encodeURIComponent(theirs.number)}`;
    const past = await fan.call('GET', `/v1/payments/invoices?${after}`);
    expect(past.body.invoices).toEqual([]);
    for (const path of [
      '/v1/payments/invoices',
      '/v1/payments/invoices/file?number=1&format=pdf',
    ]) {
      expect(refused(await edge.call('GET', path))).toEqual([401, 'unauthenticated']);
    }
  });

  test('nobody can make the edge set type without end', async () => {
    const fan = await buyer();
    const [invoice] = (await fan.call('GET', '/v1/payments/invoices')).body.invoices;
    const answers = await Promise.all(
      Array.from({ length: 12 }, () => file(fan, invoice.number, 'html')),
    );
    expect(answers.filter(({ status }) => status === 429)).toHaveLength(2);
  });
});
