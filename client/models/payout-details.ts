// Payout details: where a performer is paid and their tax number, typed once and shown masked ever after.
import { signal } from '@preact/signals';
import { PayoutDetails, SetTaxProfileBody } from '#contract';
import { createForm, readBy } from './form.ts';
import type { MoneyApi } from './money-api.ts';

export type PayoutDetailsDeps = {
  money: Pick<MoneyApi, 'setPayoutAccount' | 'setTaxProfile'>;
  /** What the edge knows has changed. */
  onChanged: () => Promise<unknown>;
};

export type PayoutKind = PayoutDetails['kind'];

/** People write long numbers in groups. */
const digitsOf = (text: string): string => text.replace(/[\s-]/g, '');

const holderWords = 'The name as your bank writes it, 3 to 50 plain letters.';

export function createPayoutDetails({ money, onChanged }: PayoutDetailsDeps) {
  const kind = signal<PayoutKind>('bank');
  const editing = signal<'account' | 'pan' | null>(null);
  const saved = signal<'account' | 'pan' | null>(null);

  const bank = createForm({
    initial: { accountHolder: '', ifsc: '', accountNumber: '', accountNumberAgain: '' },
    read({ accountHolder, ifsc, accountNumber, accountNumberAgain }) {
      const number = digitsOf(accountNumber);
      const read = readBy(PayoutDetails, {
        kind: 'bank',
        accountHolder,
        ifsc,
        accountNumber: number,
      });
      const differ = number !== digitsOf(accountNumberAgain) ? ['accountNumberAgain'] : [];
      const wrong = 'wrong' in read ? [...read.wrong, ...differ] : differ;
      return wrong.length > 0 ? { wrong } : read;
    },
    words: {
      accountHolder: holderWords,
      ifsc: 'Four letters, a zero, then six letters or digits, as on your cheque book.',
      accountNumber: '9 to 18 digits.',
      accountNumberAgain: 'The two numbers are not the same.',
    },
    send: async (body) => void (await money.setPayoutAccount(body)),
  });

  const upi = createForm({
    initial: { accountHolder: '', address: '' },
    // Without a name the bank has nothing to compare, and a person would have to.
    read: (typed) => readBy(PayoutDetails, { kind: 'upi', ...typed }),
    words: { accountHolder: holderWords, address: 'A UPI address, as in name@bank.' },
    send: async (body) => void (await money.setPayoutAccount(body)),
  });

  const pan = createForm({
    initial: { pan: '' },
    read: ({ pan }) => readBy(SetTaxProfileBody, { pan: digitsOf(pan) }),
    words: { pan: 'Five letters, four digits and a letter, as in ABCPE1234F.' },
    send: money.setTaxProfile,
  });

  function close(): void {
    editing.value = null;
    for (const form of [bank, upi, pan]) form.clear();
  }

  async function save(what: 'account' | 'pan', submit: () => Promise<boolean>): Promise<void> {
    if (!(await submit())) return;
    close();
    saved.value = what;
    await onChanged();
  }

  return {
    kind,
    bank,
    upi,
    pan,
    /** The form that is open. */
    editing,
    /** What was saved last, to be said. */
    saved,
    open(what: 'account' | 'pan'): void {
      close();
      saved.value = null;
      editing.value = what;
    },
    close,
    saveAccount(): Promise<void> {
      return save('account', (kind.peek() === 'bank' ? bank : upi).submit);
    },
    savePan: (): Promise<void> => save('pan', pan.submit),
  };
}
export type PayoutDetailsModel = ReturnType<typeof createPayoutDetails>;
