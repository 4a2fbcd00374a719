// Lists of the gateway, read page by page to their end.
import { z } from 'zod';

/** The most that the gateway gives at once, of everything but settlement reports. */
export const pageItemsMax = 100;

/** A page of a list, as the gateway answers it. */
export const pageOf = <T>(item: z.ZodType<T>) =>
  z.object({ items: z.array(item) }).transform(({ items }) => items);

/**
 * Reads until a page is empty: a gateway that gives fewer at once than it was asked for must not
 * look like one that has no more. `isWhole` is false when there was more than `itemsMax`.
 */
export async function readPages<T>(options: {
  pageItems: number;
  itemsMax: number;
  readPage: (window: { count: number; skip: number }) => Promise<T[]>;
}): Promise<{ items: T[]; isWhole: boolean }> {
  const items: T[] = [];
  while (items.length <= options.itemsMax) {
    const page = await options.readPage({ count: options.pageItems, skip: items.length });
    if (page.length === 0) return { items, isWhole: true };
    items.push(...page);
  }
  return { items: items.slice(0, options.itemsMax), isWhole: false };
}

/** Each once: what is new meanwhile shifts a list, and its last item comes again on the next page. */
export function eachOnce<T extends { id: string }>(items: readonly T[]): T[] {
  return [...new Map(items.map((item) => [item.id, item])).values()];
}
