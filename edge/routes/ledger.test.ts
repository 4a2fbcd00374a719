// The ledger's checkpoints over HTTP: signed ends of the chain that anybody can verify and keep.
import { compactVerify, createLocalJWKSet } from 'jose';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { listCheckpoints, verifyBooks } from '#db';
import { startTestEdge, type TestEdge } from '../../testing/edge.ts';
import { auditBooks } from '../jobs/audit.ts';
import { sealBooks, signCheckpoint } from '../jobs/chain.ts';
import { type Cast, createCast, refused } from '../testing/cast.ts';

let edge: TestEdge;
let cast: Cast;
beforeAll(async () => {
  edge = await startTestEdge();
  cast = createCast(edge);
});
afterAll(async () => {
  const wrong = await verifyBooks(edge.database.db);
  await edge.close();
  expect(wrong).toEqual([]);
});

async function newCheckpoint() {
  await cast.fan();
  await sealBooks(edge.parts.deps);
  return signCheckpoint(edge.parts.deps);
}

const list = async (query = '') =>
  (await edge.call('GET', `/v1/ledger/checkpoints${query}`)).body.checkpoints;

test('each names its block and its hash, and is signed with the key of the books', async () => {
  await newCheckpoint();
  const [checkpoint] = await list();
  expect(await edge.parts.deps.books.faultOf(checkpoint)).toBeNull();
  const [{ kty, crv, x, kid }] = JSON.parse(edge.env.LEDGER_KEYS ?? '');
  const keys = createLocalJWKSet({ keys: [{ kty, crv, x, kid }] });
  const { payload } = await compactVerify(checkpoint.signature, keys);
  const signed = JSON.parse(new TextDecoder().decode(payload));
  expect(signed).toMatchObject({
    block: checkpoint.block,
    position: checkpoint.position,
    hash: checkpoint.hash,
  });
  const [block] = await edge.database.asOwner(
    `select encode(hash, 'hex') as hash from ledger.blocks where number = $1`,
    [checkpoint.block],
  );
  expect(block?.hash).toBe(checkpoint.hash);
});

test('what the house has earned is nobody’s to read', async () => {
  const [checkpoint] = await list();
  const [, payload = ''] = checkpoint.signature.split('.');
  const text = JSON.stringify(checkpoint) + Buffer.from(payload, 'base64url').toString();
  for (const secret of ['trialBalance', 'platform_revenue', 'performer', '5900']) {
    expect(text).not.toContain(secret);
  }
});

test('any change of one is seen', async () => {
  const [checkpoint] = await listCheckpoints(edge.database.db, { limit: 1 });
  if (!checkpoint) throw new Error('there is none');
  const { books } = edge.parts.deps;
  expect(await books.faultOf(checkpoint)).toBeNull();
  const [name, [debit]] = Object.entries<[number, number]>(checkpoint.trialBalance)[0] ?? [
    '',
    [0, 0],
  ];
  const changes: Partial<typeof checkpoint>[] = [
    { block: checkpoint.block + 1 },
    { position: checkpoint.position - 1 },
    { hash: checkpoint.hash.replace(/^./, (c: string) => (c === '0' ? '1' : '0')) },
    { trialBalance: { ...checkpoint.trialBalance, [name]: [debit + 1, 0] } },
    { trialBalance: {} },
    // Not its last letter, which has bits that count for nothing.
    {
      signature: checkpoint.signature.replace(
        /\.(.)([^.]+)$/,
        (_whole, first: string, rest: string) => `.${first === 'A' ? 'B' : 'A'}${rest}`,
      ),
    },
    { signature: '' },
    { keyId: 'another' },
  ];
  for (const change of changes) {
    expect(
      await books.faultOf({ ...checkpoint, ...change }),
      JSON.stringify(change),
    ).not.toBeNull();
  }
});

test('one is made where the chain has grown, and none where it has not', async () => {
  await newCheckpoint();
  const before = await list();
  await sealBooks(edge.parts.deps);
  expect(await signCheckpoint(edge.parts.deps)).toEqual({ block: null });
  expect(await list()).toEqual(before);
  const { block } = await newCheckpoint();
  expect((await list())[0].block).toBe(block);
});

test('two signers at once keep one of theirs', async () => {
  await cast.fan();
  await sealBooks(edge.parts.deps);
  await Promise.all([signCheckpoint(edge.parts.deps), signCheckpoint(edge.parts.deps)]);
  const blocks = (await list()).map(({ block }: { block: number }) => block);
  expect(new Set(blocks).size).toBe(blocks.length);
});

test('they come newest first, in pages, to anybody, and may be kept a while', async () => {
  const all = await list();
  expect(all.length).toBeGreaterThanOrEqual(3);
  const blocks = all.map(({ block }: { block: number }) => block);
  expect(blocks).toEqual(blocks.toSorted((a: number, b: number) => b - a));
  expect(await list(`?before=${blocks[1]}`)).toEqual(all.slice(2));
  const answer = await edge.call('GET', '/v1/ledger/checkpoints');
  expect(answer.headers.get('cache-control')).toBe('public, max-age=30');
  for (const query of ['?before=0', '?before=-1', '?before=1.5', '?before=x']) {
    expect(refused(await edge.call('GET', `/v1/ledger/checkpoints${query}`)), query).toEqual([
      422,
      'invalid-request',
    ]);
  }
});

test('the audit job says how many violations there are', async () => {
  expect(await auditBooks(edge.parts.deps)).toEqual({ violations: 0 });
  const fan = await cast.fan();
  await edge.database.asOwner('update ledger.lots set tokens_left = 51 where owner_id = $1', [
    fan.id,
  ]);
  expect((await auditBooks(edge.parts.deps)).violations).toBeGreaterThan(0);
  await edge.database.asOwner('update ledger.lots set tokens_left = 50 where owner_id = $1', [
    fan.id,
  ]);
});
