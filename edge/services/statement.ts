// Statements as CSV (RFC 4180), safe to open in a spreadsheet.
import type { WalletTransaction } from '#contract';

const columns = ['at', 'kind', 'subject', 'amountTokens', 'gatewayPaymentId', 'id'] as const;

/** Lines end with CRLF; the first one names the columns. */
export function statementCsv(transactions: readonly WalletTransaction[]): string {
  const rows = transactions.map((one) => columns.map((column) => cell(one[column])).join(','));
  return `${[columns.join(','), ...rows].join('\r\n')}\r\n`;
}

/** Text that a spreadsheet would take for a formula gets an apostrophe in front. */
function cell(value: string | number | null): string {
  if (value === null) return '';
  if (typeof value === 'number') return String(value);
  const text = /^[=+\-@\t\r\n]/.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
