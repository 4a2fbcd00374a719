// Bank details as people type them, what may be shown of them, and which names are one person's.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  BankAccountNumber,
  Ifsc,
  maskOf,
  maskPan,
  Pan,
  PayoutDetails,
  sameName,
  UpiAddress,
} from './bank.ts';

test.each([
  [Ifsc, ' hdfc0000053 ', 'HDFC0000053'],
  [Ifsc, 'SBIN0A1B2C3', 'SBIN0A1B2C3'],
  [BankAccountNumber, ' 765432123456789 ', '765432123456789'],
  [BankAccountNumber, '123456789', '123456789'],
  [BankAccountNumber, '123456789012345678', '123456789012345678'],
  [UpiAddress, ' Asha.Rao-1@OkAxis ', 'asha.rao-1@okaxis'],
  [UpiAddress, '9876543210@ybl', '9876543210@ybl'],
  [Pan, ' abcpe1234f ', 'ABCPE1234F'],
  [Pan, 'AAACR5055K', 'AAACR5055K'],
])('%# is read as people type it', (schema, typed, read) => {
  expect(schema.parse(typed)).toBe(read);
});

test.each([
  [
    Ifsc,
    ['', 'HDFC1000053', 'HDF00000053', 'HDFC000005', 'HDFC00000531', 'HDFC00000 3', 'HDFC000005é'],
  ],
  [
    BankAccountNumber,
    ['', '12345678', '1234567890123456789', '12345678a', '1234 56789', '१२३४५६७८९'],
  ],
  [
    UpiAddress,
    [
      ...[
        '',
        'asha',
        '@okaxis',
        'asha@',
        'ab@okaxis',
        'asha@okaxis@ybl',
        'asha@ok.axis',
        'asha@1axis',
      ],
      ...[
        '.asha@okaxis',
        'asha-@okaxis',
        'as ha@okaxis',
        'as_ha@okaxis',
        `${'a'.repeat(95)}@okaxis`,
      ],
    ],
  ],
  [Pan, ['', 'ABCDE1234F', 'ABCP11234F', 'ABCPE123F', 'ABCPE1234', 'ABCPE12345', '1BCPE1234F']],
])('%# refuses what is none', (schema, wrong) => {
  for (const text of wrong) expect(schema.safeParse(text).success, text).toBe(false);
});

test('details are a bank account or a UPI address, whole and with nothing else', () => {
  const bank = {
    kind: 'bank',
    accountHolder: " Asha M. D'Souza ",
    ifsc: 'hdfc0000053',
    accountNumber: '765432123456789',
  };
  expect(PayoutDetails.parse(bank)).toEqual({
    ...bank,
    accountHolder: "Asha M. D'Souza",
    ifsc: 'HDFC0000053',
  });
  const upi = { kind: 'upi', address: 'Asha@OkAxis' };
  expect(PayoutDetails.parse(upi)).toEqual({ kind: 'upi', address: 'asha@okaxis' });
  const named = { ...upi, accountHolder: 'Asha Rao' };
  expect(PayoutDetails.parse(named)).toMatchObject({ accountHolder: 'Asha Rao' });
  const wrong = [
    { ...upi, kind: 'card' },
    { ...upi, ifsc: bank.ifsc },
    { ...upi, accountHolder: '' },
    { ...bank, accountHolder: 'Al' },
    { ...bank, accountHolder: 'A'.repeat(51) },
    { ...bank, accountHolder: 'आशा राव' },
    { ...bank, accountHolder: 'Asha <Rao>' },
    { ...bank, ifsc: undefined },
    { ...bank, address: upi.address },
  ];
  for (const details of wrong) {
    expect(PayoutDetails.safeParse(details).success, JSON.stringify(details)).toBe(false);
  }
});

test.each([
  [
    { kind: 'bank', accountHolder: 'Asha Rao', ifsc: 'HDFC0000053', accountNumber: '765432121234' },
    'HDFC ••••1234',
  ],
  [{ kind: 'upi', address: 'anita.sharma@okaxis' }, 'an••••@okaxis'],
  [{ kind: 'upi', address: 'ani@okaxis' }, 'a••••@okaxis'],
] as const)('%# is shown as %s', (details, mask) => {
  expect(maskOf(details)).toBe(mask);
});

test('of a PAN the first three letters and the last are shown', () => {
  expect(maskPan('ABCDE1234F')).toBe('ABC••••••F');
});

test.each([
  ['Asha Rao', 'ASHA RAO'],
  ['Asha Rao', 'RAO  ASHA'],
  ['Asha Rao', 'Mrs. Asha Rao'],
  ['Asha M Rao', 'ASHA M. RAO'],
  ['Zoë Müller', 'ZOE MULLER'],
  ["Maria D'Souza", 'MARIA DSOUZA'],
  ["Maria D'Souza", 'MARIA D SOUZA'],
  ['Sri Devi', 'SRIDEVI'],
  ['Ramesh Kumar', 'RAMESH KUMAR S/O SURESH KUMAR'],
  ['आशा राव', 'राव आशा'],
  ['Dr', 'DR'],
])('%s is %s', (one, other) => {
  expect(sameName(one, other)).toBe('match');
});

test.each([
  ['Asha Rao', 'A. RAO'],
  ['Asha Rao', 'ASHA R'],
  ['Asha Rao', 'ASHA MADHAVI RAO'],
  ['Asha Rao', 'ASHA'],
  ['K R Narayan', 'KOCHERIL RAMAN NARAYAN'],
  ['Venkata Subramanian Ramachandran', 'VENKATA SUBRAMANIAN RAMACH'],
  ['Sangeeta Patel', 'SANGEETHA PATEL'],
  ['Mohammad Khan', 'KHAN MOHAMMED'],
  ['Ramesh Kumar', 'SHRI RAMESH KUMAR MISHRA'],
])('%s may be %s', (one, other) => {
  expect(sameName(one, other)).toBe('close');
});

test.each([
  ['Asha Rao', 'SUNIL MEHTA'],
  ['Asha Rao', 'SUNIL RAO'],
  ['Asha Rao', 'A R'],
  ['Ramesh Kumar', 'SURESH KUMAR'],
  ['Ramesh Kumar', 'RAJESH KUMAR'],
  ['Aman Gupta', 'AMAR GUPTA'],
  ['S Kumar', 'RAJESH KUMAR'],
  ['Asha Rao Patil', 'ASHA RAO SHARMA'],
  ['Sangeeta Patel', 'SANGEETHA PATIL'],
  ['Asha Rao', 'आशा राव'],
  ['Asha Rao', ''],
  ['', ''],
  ['...', '---'],
  ['Asha Rao', 'RAO '.repeat(500)],
])('%s is not %s', (one, other) => {
  expect(sameName(one, other)).toBe('different');
});

test('names fit the same way round, in any order of their words, and fit themselves', () => {
  const word = fc.constantFrom('asha', 'rao', 'a', 'r', 'madhavi', 'ashi', 'mr', 'madha');
  const name = fc.array(word, { minLength: 1, maxLength: 5 });
  const names = fc
    .tuple(name, name)
    .chain(([one, other]) =>
      fc.tuple(
        fc.constant(one),
        fc.constant(other),
        fc.shuffledSubarray(one, { minLength: one.length }),
      ),
    );
  fc.assert(
    fc.property(names, ([one, other, turned]) => {
      const fit = sameName(one.join(' '), other.join(' '));
      expect(sameName(other.join(' '), one.join(' '))).toBe(fit);
      expect(sameName(one.join(' '), one.join(' ').toUpperCase())).toBe('match');
      // A title is one only in front.
      if (!one.includes('mr')) expect(sameName(turned.join(' '), other.join(' '))).toBe(fit);
    }),
    { numRuns: 3_000 },
  );
});

test('names made to be slow to compare are compared at once', () => {
  const words = Array.from({ length: 8 }, (_, index) => 'a'.repeat(5 + index));
  const others = words.map((word) => `${word}x`).with(0, 'bbbb');
  const startedAt = performance.now();
  expect(sameName(['same', ...words.slice(1)].join(' '), ['same', ...others].join(' '))).toBe(
    'different',
  );
  expect(performance.now() - startedAt).toBeLessThan(1_000);
});
