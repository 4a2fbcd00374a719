// The state file: all that the sandbox knows, written soon after it changes.
import { readFile, rename, writeFile } from 'node:fs/promises';
import type { Logger } from 'pino';
import { z } from 'zod';
import { StartRefused } from '../environment.ts';
import { Move } from './agenda.ts';
import { DisputesState } from './disputes.ts';
import { OrderEntity, PaymentEntity } from './entities.ts';
import { newEntityId } from './entity-id.ts';
import { GatewayState } from './gateway.ts';
import { ContactEntity } from './payouts/contacts.ts';
import { FundAccountEntity } from './payouts/fund-accounts.ts';
import { newPayoutAccountState, PayoutAccountState } from './payouts/payout-account.ts';
import { PayoutsState } from './payouts/payouts.ts';
import { ValidationEntity } from './payouts/validations.ts';
import { RefundsState } from './refunds.ts';
import { SettlementsState } from './settlements.ts';
import { Delivery, WebhookEvent } from './webhook-event.ts';

/** How long changes are gathered before they are written. */
const writeDelayMs = 100;

export const SandboxState = z.object({
  version: z.literal(2),
  accountId: z.string(),
  clockOffsetSeconds: z.int(),
  gateway: GatewayState,
  refunds: RefundsState,
  disputes: DisputesState,
  settlements: SettlementsState,
  contacts: z.array(ContactEntity),
  fundAccounts: z.array(FundAccountEntity),
  validations: z.array(ValidationEntity),
  payouts: PayoutsState,
  payoutAccount: PayoutAccountState,
  agenda: z.array(Move),
  events: z.array(WebhookEvent),
});
export type SandboxState = z.infer<typeof SandboxState>;

/** The state of a sandbox that nothing has happened in. */
export function newState(accountId = newEntityId('acc')): SandboxState {
  return {
    version: 2,
    accountId,
    clockOffsetSeconds: 0,
    gateway: { accounts: [], deadlines: [] },
    refunds: { refunds: [], keys: [] },
    disputes: { disputes: [] },
    settlements: { settlements: [], waiting: [] },
    contacts: [],
    fundAccounts: [],
    validations: [],
    payouts: { payouts: [], keys: [] },
    payoutAccount: newPayoutAccountState,
    agenda: [],
    events: [],
  };
}

/** Before there were refunds, disputes, settlements and payouts. */
const FirstState = z.object({
  version: z.literal(1),
  accountId: z.string(),
  gateway: z.object({
    accounts: z.array(
      z.object({
        order: OrderEntity,
        autoCapture: z.boolean(),
        payments: z.array(PaymentEntity),
      }),
    ),
  }),
  events: z.array(
    z.object({
      id: z.string(),
      name: z.string(),
      orderId: z.string(),
      paymentId: z.string(),
      body: z.string(),
      deliveries: z.array(Delivery),
    }),
  ),
});

function upgrade(first: z.infer<typeof FirstState>): SandboxState {
  return {
    ...newState(first.accountId),
    gateway: {
      accounts: first.gateway.accounts.map(({ order, autoCapture, payments }) => ({
        order,
        capture: {
          automatic: autoCapture,
          automaticExpiryMinutes: null,
          manualExpiryMinutes: null,
        },
        payments,
      })),
      deadlines: [],
    },
    events: first.events.map((event) => ({
      ...event,
      channel: 'gateway',
      entityId: event.paymentId,
    })),
  };
}

const AnyState = z.union([SandboxState, FirstState.transform(upgrade)]);

/**
 * Reads the state; a new one when there is none yet.
 * @throws StartRefused when it is broken
 */
export async function loadState(file: string): Promise<SandboxState> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return newState();
    throw error;
  }
  try {
    return AnyState.parse(JSON.parse(text));
  } catch {
    throw new StartRefused(`${file} is broken: put it back, or remove it and forget its orders.`);
  }
}
export interface StateWriter {
  /** Something changed: write it soon. */
  touch(): void;
  /** Writes what is left. */
  close(): Promise<void>;
}

/** Writes whole states, each to a file beside it that then takes its place. */
export function createStateWriter(
  file: string | null,
  state: () => SandboxState,
  log: Logger,
): StateWriter {
  let timer: NodeJS.Timeout | null = null;
  let writing: Promise<void> = Promise.resolve();

  function write(): void {
    timer = null;
    writing = writing.then(async () => {
      if (file === null) return;
      try {
        await writeFile(`${file}.new`, JSON.stringify(state()), { mode: 0o600 });
        await rename(`${file}.new`, file);
      } catch (error) {
        // Orders go on in memory; the next change tries again.
        log.error({ err: error }, 'the state could not be written');
      }
    });
  }
  return {
    touch() {
      if (file !== null) timer ??= setTimeout(write, writeDelayMs);
    },
    async close() {
      if (timer) {
        clearTimeout(timer);
        write();
      }
      await writing;
    },
  };
}
