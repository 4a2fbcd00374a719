// A bounded collection of entities: found by id, listed newest first, the oldest forgotten first.
import { unknownId } from './refusal.ts';

/** What a list request may say. */
export interface ListQuery {
  count: number;
  skip: number;
  from?: number | undefined;
  to?: number | undefined;
}

export interface EntityStore<T> {
  add(entity: T): void;
  find(id: string): T | undefined;
  /** @throws GatewayRefusal when the id names nothing. */
  get(id: string): T;
  /** Oldest first. */
  all(): T[];
}

export function createEntityStore<T extends { id: string }>(options: {
  max: number;
  entities: readonly T[];
  forget?: (entity: T) => void;
}): EntityStore<T> {
  const entities = new Map(options.entities.map((entity) => [entity.id, entity]));
  return {
    add(entity) {
      entities.set(entity.id, entity);
      if (entities.size <= options.max) return;
      const [oldest] = entities.values();
      if (!oldest) return;
      entities.delete(oldest.id);
      options.forget?.(oldest);
    },
    find: (id) => entities.get(id),
    get(id) {
      const entity = entities.get(id);
      if (!entity) throw unknownId();
      return entity;
    },
    all: () => [...entities.values()],
  };
}

/** One page of a list, newest first, as Razorpay lists. */
export function page<T extends { created_at: number }>(all: readonly T[], query: ListQuery): T[] {
  const { from = 0, to = Number.MAX_SAFE_INTEGER, skip, count } = query;
  return all
    .filter(({ created_at }) => created_at >= from && created_at <= to)
    .reverse()
    .slice(skip, skip + count);
}
