// Statements as files, as long as they are: written page by page while they are read, none of them held as a whole.
import type { WalletTransaction } from '#contract';

/** Rows that are read, and held, at once. */
export const statementPageRows = 500;

export type StatementFormat = 'csv' | 'json';
/** A page behind the row with this id, newest first; a short one is the last. */
type ReadPage = (before: string | undefined) => Promise<WalletTransaction[]>;

interface FileParts {
  begin: string;
  /** Between two pages. */
  between: string;
  end: string;
  write: (page: readonly WalletTransaction[]) => string;
}

const columns = ['at', 'kind', 'subject', 'amountTokens', 'gatewayPaymentId', 'id'] as const;

const parts: Record<StatementFormat, FileParts> = {
  /** RFC 4180: lines end with CRLF, the first one names the columns. */
  csv: {
    begin: `${columns.join(',')}\r\n`,
    between: '',
    end: '',
    write: (page) =>
      page.map((row) => `${columns.map((column) => cell(row[column])).join(',')}\r\n`).join(''),
  },
  json: {
    begin: '{"transactions":[',
    between: ',',
    end: ']}',
    write: (page) => page.map((row) => JSON.stringify(row)).join(','),
  },
};

/**
 * The first page is read before anything is answered, so that a database that is away is a refusal and no
 * file. When a later one cannot be read the connection breaks: a file that came whole is whole.
 */
export async function openStatement(
  format: StatementFormat,
  readPage: ReadPage,
): Promise<ReadableStream<Uint8Array>> {
  const encoder = new TextEncoder();
  const chunks = chunksOf(parts[format], readPage);
  let next: Promise<IteratorResult<string, void>> | null = chunks.next();
  await next;
  return new ReadableStream({
    async pull(controller) {
      const chunk = await (next ?? chunks.next());
      next = null;
      if (chunk.done) controller.close();
      else controller.enqueue(encoder.encode(chunk.value));
    },
    async cancel() {
      await chunks.return();
    },
  });
}

async function* chunksOf(file: FileParts, readPage: ReadPage): AsyncGenerator<string, void> {
  let opening = file.begin;
  let before: string | undefined;
  for (;;) {
    const page = await readPage(before);
    if (page.length > 0 || before === undefined) yield opening + file.write(page);
    if (page.length < statementPageRows) break;
    opening = file.between;
    before = page.at(-1)?.id;
  }
  if (file.end !== '') yield file.end;
}

/** Text that a spreadsheet would take for a formula gets an apostrophe in front. */
function cell(value: string | number | null): string {
  if (value === null) return '';
  if (typeof value === 'number') return String(value);
  const text = /^[=+\-@\t\r\n]/.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
