// Tips straight in SQL: the ledger's function and the plain way, on one performer and on fifty, in turn.
import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { tipsPerCallMax } from '#db';
import { type Crowd, makeCrowd } from '../../testing/crowd.ts';
import { quantile } from '../../testing/pixel-clock.ts';
import { feeAccount, plainTables, plainTip } from './plain.ts';

const viewers = 4_000;
export const performers = 50;
/** As many connections as two or three processes of the API hold. */
const clients = 32;
/** What the API does under load: so many calls at once, each with as many tips as a call takes. */
const batchClients = 4;
const rounds = 7;
const roundMs = 3_000;
const warmUpMs = 1_500;

type Way = 'plain' | 'ledger' | 'batched';
type Audience = 'hot' | 'spread';
const cases: readonly (readonly [Way, Audience])[] = [
  ['plain', 'hot'],
  ['ledger', 'hot'],
  ['batched', 'hot'],
  ['ledger', 'spread'],
  ['plain', 'spread'],
  ['batched', 'spread'],
];

export interface SqlFigures {
  /** Medians of tips per second. */
  perSecond: Record<`${Way}${'Hot' | 'Spread'}`, number>;
  ratios: { hotToSpread: number; hotToPlain: number; batchedToPlain: number };
  sealedPerSecond: number;
}

/** Runs on an empty, migrated database with commits that wait for the disk. `url` is the owner's. */
export async function measureSql(url: string, say: (text: string) => void): Promise<SqlFigures> {
  const pool = new pg.Pool({ connectionString: url, max: clients });
  // What ends the server is told by whoever waits for it.
  pool.on('error', () => {});
  try {
    const settings = await pool.query(
      `select current_setting('synchronous_commit') as commit, current_setting('fsync') as fsync`,
    );
    const [{ commit, fsync }] = settings.rows;
    if (commit !== 'on' || fsync !== 'on') throw new Error('commits must wait for the disk');
    say(`making ${viewers} viewers and ${performers} performers`);
    const crowd = await makeCrowd(url, { viewers, performers });
    await pool.query(plainTables);
    await pool.query(`insert into plain.balances select unnest($1::uuid[]), 1000000000`, [
      [...crowd.viewerIds, ...crowd.performerIds, feeAccount],
    ]);
    await pool.query('vacuum analyze');

    const samples = new Map<string, number[]>();
    for (let round = 0; round <= rounds; round += 1) {
      for (const [way, audience] of cases) {
        const rate = await runFor(pool, crowd, way, audience, round === 0 ? warmUpMs : roundMs);
        if (round === 0) continue;
        const key = `${way}${audience === 'hot' ? 'Hot' : 'Spread'}`;
        samples.set(key, [...(samples.get(key) ?? []), rate]);
        say(`round ${round} of ${rounds}: ${way}, ${audience}: ${Math.round(rate)} tips/s`);
      }
    }
    const medians = Object.fromEntries(
      [...samples].map(([key, rates]) => [key, quantile(rates, 0.5)]),
    ) as SqlFigures['perSecond'];
    // Pair by pair within a round, so that a slow moment of the machine is not a difference.
    const ratio = (above: string, below: string) => {
      const [a = [], b = []] = [samples.get(above), samples.get(below)];
      return quantile(
        a.map((rate, index) => rate / (b[index] ?? rate)),
        0.5,
      );
    };
    const sealedPerSecond = await measureSealing(pool);
    say(`sealed ${Math.round(sealedPerSecond)} acts/s`);
    return {
      perSecond: medians,
      ratios: {
        hotToSpread: ratio('ledgerHot', 'ledgerSpread'),
        hotToPlain: ratio('ledgerHot', 'plainHot'),
        batchedToPlain: ratio('batchedHot', 'plainHot'),
      },
      sealedPerSecond,
    };
  } finally {
    await pool.end();
  }
}

/** Tips per second of a closed loop. */
async function runFor(
  pool: pg.Pool,
  crowd: Crowd,
  way: Way,
  audience: Audience,
  ms: number,
): Promise<number> {
  const any = (count: number) => Math.floor(Math.random() * count);
  const pick = () => {
    const performer = audience === 'hot' ? 0 : any(performers);
    return {
      viewerId: crowd.viewerIds[any(viewers)] ?? '',
      performerId: crowd.performerIds[performer] ?? '',
      streamId: crowd.streamIds[performer] ?? '',
    };
  };
  const beganAt = performance.now();
  let tips = 0;
  const work = async () => {
    const client = await pool.connect();
    try {
      while (performance.now() - beganAt < ms) {
        const done = await ways[way](client, pick);
        tips += done;
      }
    } finally {
      client.release();
    }
  };
  await Promise.all(Array.from({ length: way === 'batched' ? batchClients : clients }, work));
  return (tips * 1000) / (performance.now() - beganAt);
}

type Pick = () => { viewerId: string; performerId: string; streamId: string };

const ways: Record<Way, (client: pg.PoolClient, pick: Pick) => Promise<number>> = {
  async plain(client, pick) {
    await plainTip(client, pick());
    return 1;
  },
  async ledger(client, pick) {
    const { viewerId, streamId } = pick();
    await client.query({
      name: 'ledger.tip',
      text: 'select ledger.tip($1, $2, $3, $4, $5, $6)',
      values: [viewerId, streamId, 1, 'well played', false, randomUUID()],
    });
    return 1;
  },
  async batched(client, pick) {
    const requests = Array.from({ length: tipsPerCallMax }, () => {
      const { viewerId, streamId } = pick();
      return {
        viewerId,
        streamId,
        amountTokens: 1,
        message: 'well played',
        anonymous: false,
        idempotencyKey: randomUUID(),
      };
    });
    const { rows } = await client.query({
      name: 'ledger.tip_many',
      text: 'select ledger.tip_many($1) as answers',
      values: [JSON.stringify(requests)],
    });
    const refused = rows[0].answers.find((answer: object) => 'refused' in answer);
    if (refused) throw new Error(`a tip was refused: ${JSON.stringify(refused)}`);
    return requests.length;
  },
};

/** How fast the chain follows: all that the rounds have left, in rounds of the sealer's own. */
async function measureSealing(pool: pg.Pool): Promise<number> {
  const beganAt = performance.now();
  let sealed = 0;
  for (;;) {
    const { rows } = await pool.query('select ledger.seal() as round');
    sealed += rows[0].round.sealed;
    if (!rows[0].round.more) break;
  }
  return (sealed * 1000) / (performance.now() - beganAt);
}
