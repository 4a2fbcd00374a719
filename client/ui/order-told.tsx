// What the last question about an order brought, for whoever asked it.
import type { OrderWatch } from '../models/order-watch.ts';
import { formatInstantTime } from './format.ts';

export function OrderTold({ watch }: { watch: OrderWatch }) {
  const told = watch.told.value;
  if (!told) return null;
  const time = formatInstantTime(told.atMs);
  return (
    <p class="soft figure">
      {told.name === 'unpaid'
        ? `Not paid yet, as of ${time}.`
        : `No answer at ${time}. It is tried again by itself.`}
    </p>
  );
}
