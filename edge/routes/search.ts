// Search: streams and performers by words.
import { Hono } from 'hono';
import { SearchQuery, SearchResult, searchFoundMax } from '#contract';
import { searchRead } from '#db';
import type { AppEnv, Deps } from '../deps.ts';
import { operation } from '../services/operation.ts';
import { limits } from '../services/rate-limit.ts';
import { seekerOf } from '../services/rooms.ts';
import { searchWordsOf } from '../services/search-words.ts';
import { answerVisitor, readForVisitor } from '../services/shared-answer.ts';
import { validate } from '../services/validate.ts';

export function searchRoutes(deps: Deps) {
  return new Hono<AppEnv>().get(
    '/',
    operation(deps, {
      summary:
        'Find live streams, announced ones and performers; the last word may be its beginning',
      tag: 'Streams',
      answers: [200, SearchResult],
      problems: ['invalid-request'],
      access: 'visitor',
      mayBeUnchanged: true,
      limit: limits.search,
    }),
    validate('query', SearchQuery),
    async (c) => {
      const { q, mature } = c.req.valid('query');
      const seeker = seekerOf(deps, c);
      const search = {
        ...searchWordsOf(q),
        ...seeker,
        mature: mature === 'true' && seeker.known,
        limit: searchFoundMax,
      };
      const text = await readForVisitor(deps, c, searchRead, search);
      return answerVisitor<SearchResult>(c, text);
    },
  );
}
