// What the app stands on: built once by each runtime, handed to every route.
import type { Guest, ProblemCode, Role } from '#contract';
import type { Db, Reads } from '#db';
import type { Config } from './config.ts';
import type { BookSeal } from './services/book-seal.ts';
import type { Counters } from './services/counters.ts';
import type { EdgeRedis } from './services/edge-redis.ts';
import type { ReachFailpoint } from './services/failpoints.ts';
import type { PaymentGateway } from './services/gateway.ts';
import type { InvoiceFonts } from './services/invoice-typesetter.ts';
import type { Limiter } from './services/limiter.ts';
import type { Log } from './services/log.ts';
import type { Mailer } from './services/mail.ts';
import type { PasswordHasher } from './services/passwords.ts';
import type { PayoutGateway } from './services/payout-gateway.ts';
import type { PlacedBook } from './services/placement.ts';
import type { Publisher } from './services/publisher.ts';
import type { Revocations } from './services/revocations.ts';
import type { Signer } from './services/signer.ts';
import type { TipDesk } from './services/tip-desk.ts';
import type { Turn } from './services/turn.ts';
import type { Vault } from './services/vault.ts';

export interface Deps {
  config: Config;
  db: Db;
  /** For what is asked thousands of times a second. */
  reads: Reads;
  redis: EdgeRedis;
  publisher: Publisher;
  signer: Signer;
  turn: Turn;
  revocations: Revocations;
  limiter: Limiter;
  passwords: PasswordHasher;
  gateway: PaymentGateway;
  /** Null where no payout account is configured. */
  payouts: PayoutGateway | null;
  vault: Vault;
  mailer: Mailer;
  tips: TipDesk;
  books: BookSeal;
  /** Read when the first invoice is asked for. */
  invoiceFonts: () => Promise<InvoiceFonts>;
  failpoint: ReachFailpoint;
  placed: PlacedBook;
  log: Log;
  counters: Counters;
  now: () => Date;
}

/** What a runtime adds to each request. */
export interface RuntimeBindings {
  /** Keeps the runtime alive until the work behind the answer is done. */
  defer: (work: Promise<unknown>) => void;
  /** The address at the other end of the socket. */
  socketAddress: string;
  /** The country that the platform says it is in (ISO 3166-1 alpha-2); empty where it says nothing. */
  country: string;
}

/** Who is asking, as the access token says. */
export interface Identity {
  userId: string;
  username: string;
  role: Role;
  sessionId: string;
  /** The number of the last revocation that was known when it was looked at who they are. */
  revision: number;
  /** When a second factor was last shown in this session; null for never. */
  secondFactorAt: Date | null;
}

export interface AppEnv {
  Bindings: RuntimeBindings;
  Variables: {
    requestId: string;
    log: Log;
    problemCode: ProblemCode | undefined;
    /** Who has shown a token, or has just logged in. */
    actorId: string | undefined;
    /** Of routes that need a permission. */
    identity: Identity;
    /** Of routes that visitors may call; null for a guest. */
    visitor: Identity | null;
    /** Of the same routes: a guest who has passed the age gate. */
    guest: Pick<Guest, 'id' | 'country'> | null;
  };
}
