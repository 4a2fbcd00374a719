// Building what the app stands on, from configuration; only what differs by runtime is handed in.
import type { Db, Reads } from '#db';
import type { Config } from '../config.ts';
import type { Deps } from '../deps.ts';
import { createBookSeal } from './book-seal.ts';
import { createCounters } from './counters.ts';
import { createEdgeRedis } from './edge-redis.ts';
import { createFailpoints, type Failpoint } from './failpoints.ts';
import { createRazorpayGateway } from './gateway.ts';
import type { InvoiceFonts } from './invoice-typesetter.ts';
import { createLimiter } from './limiter.ts';
import { createLog } from './log.ts';
import { createMailer, type MailSender } from './mail.ts';
import type { PasswordHasher } from './passwords.ts';
import { createPayoutGateway, type PayoutGateway } from './payout-gateway.ts';
import { createPlacedBook } from './placement.ts';
import { createPublisher } from './publisher.ts';
import { createRevocations } from './revocations.ts';
import { createSigner } from './signer.ts';
import type { TipDesk } from './tip-desk.ts';
import { createTurn } from './turn.ts';
import { createVault } from './vault.ts';

export async function buildDeps(
  config: Config,
  parts: {
    db: Db;
    reads: Reads;
    passwords: PasswordHasher;
    tips: TipDesk;
    invoiceFonts: () => Promise<InvoiceFonts>;
    mailSender: MailSender;
    /** Whether a request may wait for what another one has begun. */
    sharesWork: boolean;
    /** Ends the process at once, for failpoints. */
    die: (failpoint: Failpoint) => void;
    service: string;
  },
): Promise<Deps> {
  const now = () => new Date();
  const log = createLog(config.LOG_LEVEL, { service: parts.service });
  const vault = await createVault(config.DATA_KEYS, config.HASH_KEY);
  const redis = createEdgeRedis({
    url: config.UPSTASH_REDIS_REST_URL,
    token: config.UPSTASH_REDIS_REST_TOKEN,
  });
  return {
    config,
    db: parts.db,
    reads: parts.reads,
    redis,
    publisher: createPublisher(redis, log),
    signer: await createSigner(config.SIGNING_KEYS, now),
    turn: await createTurn(config, now),
    revocations: createRevocations(parts.db, parts.sharesWork),
    limiter: createLimiter(redis),
    passwords: parts.passwords,
    gateway: createRazorpayGateway({
      keyId: config.RAZORPAY_KEY_ID,
      keySecret: config.RAZORPAY_KEY_SECRET,
      apiUrl: config.RAZORPAY_API_URL,
    }),
    payouts: payoutGatewayOf(config),
    vault,
    mailer: createMailer({ db: parts.db, vault, sender: parts.mailSender, log }),
    tips: parts.tips,
    books: await createBookSeal(config.LEDGER_KEYS),
    invoiceFonts: parts.invoiceFonts,
    failpoint: createFailpoints(config.FAILPOINTS, parts.die),
    placed: createPlacedBook(),
    log,
    counters: createCounters(),
    now,
  };
}

function payoutGatewayOf(config: Config): PayoutGateway | null {
  const { RAZORPAYX_KEY_ID, RAZORPAYX_KEY_SECRET, RAZORPAYX_ACCOUNT_NUMBER } = config;
  if (!RAZORPAYX_KEY_ID || !RAZORPAYX_KEY_SECRET || !RAZORPAYX_ACCOUNT_NUMBER) return null;
  return createPayoutGateway({
    keyId: RAZORPAYX_KEY_ID,
    keySecret: RAZORPAYX_KEY_SECRET,
    accountNumber: RAZORPAYX_ACCOUNT_NUMBER,
    apiUrl: config.RAZORPAY_API_URL,
  });
}
