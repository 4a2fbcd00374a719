// What the app stands on: built once by each runtime, handed to every route.
import type { ProblemCode, Role } from '#contract';
import type { Db } from '#db';
import type { Config } from './config.ts';
import type { Counters } from './services/counters.ts';
import type { EdgeRedis } from './services/edge-redis.ts';
import type { PaymentGateway } from './services/gateway.ts';
import type { Log } from './services/log.ts';
import type { PasswordHasher } from './services/passwords.ts';
import type { Publisher } from './services/publisher.ts';
import type { Signer } from './services/signer.ts';

export interface Deps {
  config: Config;
  db: Db;
  redis: EdgeRedis;
  publisher: Publisher;
  signer: Signer;
  passwords: PasswordHasher;
  gateway: PaymentGateway;
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
}

/** Who is asking, as the access token says. */
export interface Identity {
  userId: string;
  username: string;
  role: Role;
  sessionId: string;
}

export interface AppEnv {
  Bindings: RuntimeBindings;
  Variables: {
    requestId: string;
    log: Log;
    problemCode: ProblemCode | undefined;
    identity: Identity;
  };
}
