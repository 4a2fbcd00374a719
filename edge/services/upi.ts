// UPI: the link of a payment, rewritten for the apps that people pay with.

/** The gateway lets a payment that nobody has approved by then fail. */
export const upiIntentTtlSeconds = 600;

/** The apps' own link schemes; `upi:` asks the phone which one to open. */
const schemes = [
  ['Google Pay', 'gpay://upi/pay'],
  ['PhonePe', 'phonepe://pay'],
  ['Paytm', 'paytmmp://pay'],
] as const;

/** The same payment for one app each; `link` begins with `upi://pay?`. */
export function upiApps(link: string): { name: string; link: string }[] {
  const query = link.slice(link.indexOf('?'));
  return schemes.map(([name, scheme]) => ({ name, link: `${scheme}${query}` }));
}
