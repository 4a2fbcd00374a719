// A crowd: many viewers with tokens and performers who are live, made in the database at once for loads.
import { randomUUID } from 'node:crypto';
import pg from 'pg';

export interface Crowd {
  viewerIds: string[];
  performerIds: string[];
  /** One live stream of each performer, in their order. */
  streamIds: string[];
}

/** Tokens of each viewer, bought at the price of the cheapest package. */
export const crowdTokens = 1_000_000;

/**
 * Makes viewers and performers as the owner of the schema, through the ledger's own functions, so that the
 * books hold. The accounts are a year old: rules for new ones are not what a load is about.
 */
export async function makeCrowd(
  ownerUrl: string,
  size: { viewers: number; performers: number; tokens?: number },
): Promise<Crowd> {
  const owner = new pg.Client({ connectionString: ownerUrl });
  await owner.connect();
  const tag = randomUUID().slice(0, 8);
  const people = async (role: 'viewer' | 'performer', count: number) => {
    const { rows } = await owner.query<{ id: string }>(
      `insert into users (email, username, password_hash, date_of_birth, country, role, created_at,
          email_verified_at)
        select $1 || n || '@example.com', $1 || n, 'x', '1990-01-01', 'IN', $2, now() - interval '1 year', now()
          from generate_series(1, $3::int) n returning id`,
      [`${role[0]}${tag}_`, role, count],
    );
    return rows.map(({ id }) => id);
  };
  try {
    const viewerIds = await people('viewer', size.viewers);
    const performerIds = await people('performer', size.performers);
    const { rows: streams } = await owner.query<{ id: string }>(
      `insert into streams (performer_id, title, category, idempotency_key, state, started_at, state_since)
        select id, 'A load', 'music', $1, 'live', now(), now() + interval '1 day'
          from unnest($2::uuid[]) with ordinality p (id, place) order by place returning id`,
      [tag, performerIds],
    );
    await owner.query(crowdFill);
    await owner.query('select pg_temp.crowd_fill($1, $2, $3)', [
      viewerIds,
      size.tokens ?? crowdTokens,
      tag,
    ]);
    await owner.query('vacuum analyze');
    return { viewerIds, performerIds, streamIds: streams.map(({ id }) => id) };
  } finally {
    await owner.end();
  }
}

/** An order and a captured payment for each, as buying makes them, of a package of this very size. */
const crowdFill = `
  create or replace function pg_temp.crowd_fill(p_viewers uuid[], p_tokens bigint, p_tag text) returns void
  language plpgsql as $$
  declare
    v_viewer uuid;
    v_package uuid;
    v_order orders;
    v_price bigint := p_tokens * 118;
  begin
    insert into packages (name, tokens, price_paise, gst_rate_bp, offered_until)
      values ('Load ' || p_tag, p_tokens, v_price, 1800, now()) returning id into v_package;
    foreach v_viewer in array p_viewers loop
      insert into orders (user_id, package_id, tokens, amount_paise, gst_paise, idempotency_key, gateway_order_id)
        select v_viewer, id, tokens, price_paise, gst_paise, p_tag, 'order_' || v_viewer
          from packages where id = v_package
        returning * into v_order;
      perform payment_observed(jsonb_build_object(
        'gatewayPaymentId', 'pay_' || v_viewer, 'gatewayOrderId', v_order.gateway_order_id,
        'amountPaise', v_order.amount_paise, 'currency', 'INR', 'status', 'captured'));
    end loop;
  end $$`;
