// `npm run ledger:verify`: says with its exit code and in words whether the books are right.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type ChainEnd, checkpointDue, keepCheckpoint, listCheckpoints } from '#db';
import { createBookSeal, createSealVerifier } from '../../edge/services/book-seal.ts';
import { createTestDatabase, type TestDatabase } from '../../testing/database.ts';
import { newSigningKeys } from '../../testing/edge.ts';
import { createMoneyCast } from '../../testing/money.ts';
import { checkBooks } from './book-check.ts';
import { nodeCommand, startChild } from './child.ts';

const holds = 'The books balance, and every invariant holds.';

let directory: string;
let keys: string;
let template: string;
let books: TestDatabase;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'livepanty-verify-'));
  keys = await newSigningKeys('books');
  books = await createTestDatabase();
  template = books.name;
  const people = createMoneyCast(books);
  const { user } = await people.buyer();
  const { streamId } = await people.liveStream();
  await people.tipped(user.id, streamId, 5, 7);
  await people.sealAll();
  await sign();
  await books.close();
});
afterAll(() => rm(directory, { recursive: true }));
beforeEach(async () => {
  books = await createTestDatabase(template);
});
afterEach(() => books.close());

async function sign(): Promise<void> {
  const due = await checkpointDue(books.db);
  if (!due) throw new Error('a checkpoint is due');
  await keepCheckpoint(books.db, due, await (await createBookSeal(keys)).sign(due));
}

/** The check as the command makes it; it says all the time how far it is. */
async function check(
  witness?: string,
): Promise<{ violations: number; text: string; told: string }> {
  let [text, told] = ['', ''];
  const violations = await checkBooks(books.db, {
    seal: await createSealVerifier(keys),
    witness,
    asOf: null,
    print: (part) => {
      text += part;
    },
    tell: (part) => {
      told += part;
    },
    tellEveryMs: 0,
  });
  return { violations, text, told };
}

/** The command itself. */
async function command(
  env: Record<string, string>,
): Promise<{ code: number | null; text: string }> {
  const lines: string[] = [];
  const child = startChild(
    nodeCommand('scripts/launch/ledger-verify.ts', { DATABASE_OWNER_URL: books.ownerUrl, ...env }),
    (line) => lines.push(line),
  );
  const { code } = await child.ended;
  return { code, text: lines.join('\n') };
}

const forge = (statements: string) =>
  books.asOwner(`begin; set local session_replication_role = replica; ${statements}; commit`);

/** The tip of 7 tokens. */
const act = '(select id from ledger.tips where amount_tokens = 7)';

test('the command ends with 0 for books that are right, with 1 for others, and without keys', async () => {
  // Of the keys the public halves are enough.
  const publicHalves = JSON.stringify(JSON.parse(keys).map(({ d, ...key }: { d: string }) => key));
  const right = await command({ LEDGER_KEYS: publicHalves });
  expect(right.text).toContain(holds);
  expect(right.code).toBe(0);
  const keyless = await command({});
  expect(keyless.text).toContain('LEDGER_KEYS');
  expect(keyless.code).toBe(1);
  await forge(`update ledger.entries set amount = amount * 2 where journal_id = ${act}`);
  const wrong = await command({ LEDGER_KEYS: publicHalves });
  expect(wrong.text).toContain('violated: every act in the chain is unchanged');
  expect(wrong.code).toBe(1);
}, 180_000);

test('of books that are right the trial balance is printed, and it is said how far the check is', async () => {
  const { violations, text, told } = await check();
  expect(text).toContain(holds);
  expect(text).toMatch(/^tokens_outstanding +TOKEN +50 +12$/m);
  expect(text).toContain('\n1 signed checkpoints, the newest of ');
  expect(violations).toBe(0);
  expect(told).toContain('checkpoints down to block ');
});

test.each([
  [
    'an entry that was changed',
    `update ledger.entries set amount = amount * 2 where journal_id = ${act}`,
    'every act in the chain is unchanged',
  ],
  [
    'an entry that was removed',
    `delete from ledger.entries where journal_id = ${act} and line = 1`,
    'every act in the chain is unchanged',
  ],
  [
    'entries that changed their places',
    `update ledger.sealed set position = -position where position in (2, 3);
    update ledger.sealed set position = case position when -2 then 3 else 2 end where position < 0`,
    'every block has the hash of its acts in their order',
  ],
  [
    'acts that nobody seals',
    `delete from ledger.checkpoints; delete from ledger.blocks; delete from ledger.sealed;
    delete from ledger.totals; delete from ledger.tip_totals; update ledger.sealer set horizon = '3';
    update ledger.journal set created_at = created_at - interval '6 minutes'`,
    'every act is in the chain soon',
  ],
  [
    'a chain without a signature',
    `delete from ledger.checkpoints; update ledger.blocks set sealed_at = sealed_at - interval '11 minutes'`,
    'the end of the chain is signed soon',
  ],
  [
    'a signature that is not ours',
    `update ledger.checkpoints set signature = overlay(signature placing 'AAAA' from length(signature) - 9)`,
    'every checkpoint is signed by us',
  ],
  [
    'totals that were not signed',
    `update ledger.checkpoints set trial_balance = jsonb_set(trial_balance, '{bank}', '[1, 1]')`,
    'every checkpoint is signed by us',
  ],
])('found: %s', async (_, statements, invariant) => {
  await forge(statements);
  const { violations, text } = await check();
  expect(text).toContain(`violated: ${invariant}`);
  expect(text).not.toContain(holds);
  expect(violations).toBeGreaterThan(0);
});

describe('with a witness', () => {
  async function witness(...lines: unknown[]): Promise<string> {
    const path = join(directory, 'witness.log');
    await writeFile(path, lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
    return path;
  }
  const kept = () => listCheckpoints(books.db, { limit: 10 });
  const noise = { level: 'info', message: 'something else', block: 5 };

  test('whose checkpoints are in the chain says nothing against them, as they were logged and as they were read', async () => {
    const checkpoints = await kept();
    const path = await witness(
      noise,
      { message: 'checkpoint of the books', ...checkpoints[0] },
      { checkpoints },
    );
    const { violations, text } = await check(path);
    expect(text).toContain(holds);
    expect(text).toContain('2 checkpoints that were kept elsewhere');
    expect(violations).toBe(0);
  });

  test('of an end that is not in the chain, or that was signed by somebody else, speaks against them', async () => {
    const [last] = await kept();
    if (!last) throw new Error('there is a checkpoint');
    const end: ChainEnd = { ...last, block: last.block + 1, position: last.position + 3 };
    const [ours, others] = [
      await createBookSeal(keys),
      await createBookSeal(await newSigningKeys('books')),
    ];
    const path = await witness(
      { ...end, ...(await ours.sign(end)) },
      { ...last, ...(await others.sign(last)) },
    );
    const { violations, text } = await check(path);
    expect(text).toContain(
      `violated: every checkpoint kept elsewhere is in the chain block ${end.block}`,
    );
    expect(text).toContain('violated: every checkpoint kept elsewhere is signed by us line 2');
    expect(violations).toBe(2);
  });

  test('that is not there, or has nothing to say, is refused', async () => {
    for (const path of [join(directory, 'nowhere'), await witness(noise)]) {
      await expect(check(path)).rejects.toThrow(path);
    }
  });
});
