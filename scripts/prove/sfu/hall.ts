// The hall: one stream that a hundred people watch, half of them in each country.
import type { Receivers } from '../../../testing/receivers/receivers.ts';
import { type Publisher, publish, type Viewer, watch } from './audience.ts';
import type { People } from './people.ts';
import { type Node, type Product, places } from './product.ts';
import { untilSteady } from './recovery.ts';

/** So many come at once: more would only wait for each other. */
const comingAtOnce = 10;

export interface Hall {
  publisher: Publisher;
  viewers: readonly Viewer[];
  /** The node that the host publishes to, and the other one. */
  home(): Promise<Node>;
  other(): Promise<Node>;
  close(): void;
}

export async function openHall(
  product: Product,
  people: People,
  receivers: Receivers,
  size: number,
): Promise<Hall> {
  const [{ country: home }] = places;
  const performer = people.nextPerformer(home);
  const publisher = publish(performer, receivers);
  const viewers: Viewer[] = [];
  for (let from = 0; from < size; from += comingAtOnce) {
    const group = Array.from({ length: Math.min(comingAtOnce, size - from) }, (_, index) => {
      const country = places[(from + index) % places.length]?.country ?? home;
      return watch(people.nextViewer(country), performer.streamId, receivers);
    });
    viewers.push(...group);
    await untilSteady(group);
  }
  async function isHome(node: Node): Promise<boolean> {
    const { rooms } = await node.stats();
    return rooms.some(({ streamId, publishing }) => streamId === performer.streamId && publishing);
  }
  async function homeAndOther(): Promise<readonly [Node, Node]> {
    const [a, b] = product.nodes;
    return (await isHome(a)) ? [a, b] : [b, a];
  }
  return {
    publisher,
    viewers,
    home: async () => (await homeAndOther())[0],
    other: async () => (await homeAndOther())[1],
    close() {
      for (const viewer of viewers) viewer.close();
      publisher.close();
    },
  };
}
