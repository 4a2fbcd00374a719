// The parts of the sandbox, and how they hang together.
import type { Logger } from 'pino';
import { createAgenda } from './agenda.ts';
import { createClock } from './clock.ts';
import { createDisputes } from './disputes.ts';
import type { Channel, Publish } from './event.ts';
import { createFaultSwitch } from './faults.ts';
import { createGateway } from './gateway.ts';
import { createContacts } from './payouts/contacts.ts';
import { createFundAccounts } from './payouts/fund-accounts.ts';
import { createPayoutAccount } from './payouts/payout-account.ts';
import { PayoutStep } from './payouts/payout-entity.ts';
import { createPayouts } from './payouts/payouts.ts';
import { createValidations, ValidationEnd } from './payouts/validations.ts';
import { createPending } from './pending.ts';
import { createRefunds } from './refunds.ts';
import { createSettlements } from './settlements.ts';
import type { SandboxState } from './state-file.ts';
import { createTransactions } from './transactions.ts';
import { createWebhooks, type WebhookTarget } from './webhooks.ts';

/** How often it is looked for what has waited too long. */
const sweepIntervalMs = 5_000;

export type SandboxParts = ReturnType<typeof createSandboxParts>;

/** `onChange` hears of every change that the state file has to keep. */
export function createSandboxParts(options: {
  state: SandboxState;
  keySecret: string;
  payoutAccountNumber: string;
  targets: Record<Channel, WebhookTarget>;
  webhookRetryBaseMs: number;
  now: () => Date;
  onChange: () => void;
  log: Logger;
}) {
  const { state, log } = options;
  const faults = createFaultSwitch();
  const pending = createPending();
  const clock = createClock({
    now: options.now,
    offsetSeconds: state.clockOffsetSeconds,
    moved: () => gateway.sweep(),
  });
  const webhooks = createWebhooks({
    targets: options.targets,
    accountId: state.accountId,
    events: state.events,
    faults,
    pending,
    retryBaseMs: options.webhookRetryBaseMs,
    nowSeconds: clock.nowSeconds,
    onChange: options.onChange,
    log,
  });
  const publish: Publish = webhooks.publish;
  const agenda = createAgenda({ moves: state.agenda, take, pending, log });
  const shared = { faults, agenda, clock, publish };

  const transactions = createTransactions(state.settlements.waiting);
  const gateway = createGateway({
    keySecret: options.keySecret,
    state: state.gateway,
    clock,
    publish,
    captured: (payment, order) => transactions.payment(payment, order, clock.nowSeconds()),
    refundUncaptured: (payment) => refunds.createForUncaptured(payment),
  });
  const disputes = createDisputes({
    state: state.disputes,
    gateway,
    adjusted: (dispute, amount, description) =>
      transactions.adjustment(dispute, amount, description, clock.nowSeconds()),
    clock,
    publish,
  });
  const refunds = createRefunds({
    ...shared,
    state: state.refunds,
    gateway,
    disputed: disputes.blocksRefund,
    refunded: (refund, payment, order) =>
      transactions.refund(refund, payment, order, clock.nowSeconds()),
  });
  const settlements = createSettlements({
    state: state.settlements,
    transactions,
    clock,
    publish,
  });

  const payoutAccount = createPayoutAccount({
    number: options.payoutAccountNumber,
    state: state.payoutAccount,
    clock,
  });
  const contacts = createContacts({ contacts: state.contacts, clock });
  const fundAccounts = createFundAccounts({ fundAccounts: state.fundAccounts, contacts, clock });
  const validations = createValidations({
    ...shared,
    validations: state.validations,
    fundAccounts,
    contacts,
    account: payoutAccount,
  });
  const payouts = createPayouts({
    ...shared,
    state: state.payouts,
    fundAccounts,
    account: payoutAccount,
  });

  /** A step that a control has made impossible is not taken. */
  function take(kind: 'refund' | 'validation' | 'payout', id: string, step: string): void {
    switch (kind) {
      case 'refund':
        refunds.end(id, step === 'failed' ? 'failed' : 'processed');
        break;
      case 'validation':
        validations.end(id, ValidationEnd.parse(step));
        break;
      case 'payout':
        payouts.step(id, PayoutStep.parse(step));
        break;
    }
  }

  const sweeping = setInterval(() => gateway.sweep(), sweepIntervalMs);
  return {
    faults,
    pending,
    clock,
    webhooks,
    gateway,
    refunds,
    disputes,
    settlements,
    contacts,
    fundAccounts,
    validations,
    payouts,
    payoutAccount,

    state: (): SandboxState => ({
      version: 2,
      accountId: state.accountId,
      clockOffsetSeconds: clock.offsetSeconds,
      gateway: gateway.state(),
      refunds: refunds.state(),
      disputes: disputes.state(),
      settlements: settlements.state(),
      contacts: contacts.state(),
      fundAccounts: fundAccounts.state(),
      validations: validations.state(),
      payouts: payouts.state(),
      payoutAccount: payoutAccount.state(),
      agenda: agenda.moves(),
      events: webhooks.events(),
    }),

    close(): void {
      clearInterval(sweeping);
      agenda.close();
      webhooks.close();
    },
  };
}
