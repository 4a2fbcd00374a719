// Relations: whom I follow, block or mute, and in which countries I am not to be seen.
import { Hono } from 'hono';
import { z } from 'zod';
import { CountryBlocks, Id, ListRelationsQuery, type RelationKind, RelationList } from '#contract';
import { listRelations, readCountryBlocks, relate, setCountryBlocks, unrelate } from '#db';
import type { AppEnv, Deps } from '../deps.ts';
import { parseCursor } from '../services/cursor.ts';
import { operation } from '../services/operation.ts';
import { pageOf } from '../services/page.ts';
import { limits } from '../services/rate-limit.ts';
import { tellRevoked } from '../services/sessions.ts';
import { validate } from '../services/validate.ts';

const tag = 'Relations';
const Params = z.object({ userId: Id });

const words = {
  follow: { list: 'Whom I follow', add: 'Follow somebody', remove: 'Follow somebody no more' },
  block: {
    list: 'Whom I block',
    add: 'Block somebody: they follow, watch, tip and talk to me no more',
    remove: 'Block somebody no more',
  },
  mute: { list: 'Whom I do not want to hear', add: 'Mute somebody', remove: 'Hear somebody again' },
} as const satisfies Record<RelationKind, Record<string, string>>;

/** One list of people: read by page, and put into or taken out of one by one, as often as one likes. */
export function relationRoutes(deps: Deps, kind: RelationKind) {
  return new Hono<AppEnv>()
    .get(
      '/',
      operation(deps, {
        summary: words[kind].list,
        tag,
        answers: [200, RelationList],
        problems: ['invalid-request'],
        access: 'take-part',
      }),
      validate('query', ListRelationsQuery),
      async (c) => {
        const { cursor, limit } = c.req.valid('query');
        const rows = await listRelations(
          deps.db,
          { fromId: c.var.identity.userId, kind },
          { before: parseCursor(cursor), limit: limit + 1 },
        );
        const { page, nextCursor } = pageOf(rows, limit, (row) => row.id);
        return c.json({ people: page, nextCursor }, 200);
      },
    )
    .put(
      '/:userId',
      operation(deps, {
        summary: words[kind].add,
        tag,
        answers: [204, null],
        problems: ['invalid-request', 'not-found', 'blocked', 'too-many', 'account-banned'],
        access: 'take-part',
        limit: limits.relation,
      }),
      validate('param', Params),
      async (c) => {
        const relation = { fromId: c.var.identity.userId, kind, toId: c.req.valid('param').userId };
        await tellRevoked(deps, c, await relate(deps.db, relation));
        return c.body(null, 204);
      },
    )
    .delete(
      '/:userId',
      operation(deps, {
        summary: words[kind].remove,
        tag,
        answers: [204, null],
        problems: ['invalid-request'],
        access: 'take-part',
        limit: limits.relation,
      }),
      validate('param', Params),
      async (c) => {
        const relation = { fromId: c.var.identity.userId, kind, toId: c.req.valid('param').userId };
        await tellRevoked(deps, c, await unrelate(deps.db, relation));
        return c.body(null, 204);
      },
    );
}

export function countryBlockRoutes(deps: Deps) {
  return new Hono<AppEnv>()
    .get(
      '/',
      operation(deps, {
        summary: 'Countries in which I am not to be seen',
        tag,
        answers: [200, CountryBlocks],
        access: 'perform',
      }),
      async (c) => c.json(await readCountryBlocks(deps.db, c.var.identity.userId), 200),
    )
    .put(
      '/',
      operation(deps, {
        summary:
          'All countries in which I am not to be seen; who watches shows again that they may',
        tag,
        answers: [200, CountryBlocks],
        problems: ['invalid-request'],
        access: 'perform',
        limit: limits.profile,
      }),
      validate('json', CountryBlocks),
      async (c) => {
        const { countries } = c.req.valid('json');
        const { userId } = c.var.identity;
        await tellRevoked(deps, c, await setCountryBlocks(deps.db, userId, countries));
        return c.json({ countries }, 200);
      },
    );
}
