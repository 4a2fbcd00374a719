// Promotional tokens, for staff: given, proposed and decided. It stands behind the door of the other staff routes.
import { Hono } from 'hono';
import { z } from 'zod';
import {
  DecisionBody,
  GrantedTokens,
  GrantTokensBody,
  Id,
  ListPromotionsQuery,
  PromotionList,
  staffPageMax,
} from '#contract';
import { decidePromotion, grantTokens, listPromotions } from '#db';
import type { AppEnv, Deps } from '../deps.ts';
import { idempotencyKey } from '../services/access.ts';
import { parseCursor } from '../services/cursor.ts';
import { operation } from '../services/operation.ts';
import { pageOf } from '../services/page.ts';
import { validate } from '../services/validate.ts';

const tag = 'Staff';

export function staffPromotionRoutes(deps: Deps) {
  return new Hono<AppEnv>()
    .get(
      '/',
      operation(deps, {
        summary: 'Promotional tokens: proposals that wait, oldest first; others newest first',
        tag,
        answers: [200, PromotionList],
        problems: ['invalid-request'],
        access: 'move-money',
      }),
      validate('query', ListPromotionsQuery),
      async (c) => {
        const { state, cursor } = c.req.valid('query');
        const after = parseCursor(cursor);
        const rows = await listPromotions(deps.db, { state, after, limit: staffPageMax + 1 });
        const { page, nextCursor } = pageOf(rows, staffPageMax, (row) => row.id);
        return c.json({ promotions: page, nextCursor }, 200);
      },
    )
    .post(
      '/',
      operation(deps, {
        summary: 'Give a viewer promotional tokens; above a day’s measure somebody else decides',
        tag,
        answers: [201, GrantedTokens],
        problems: [
          'invalid-request',
          'not-found',
          'second-person-needed',
          'idempotency-key-reused',
        ],
        idempotent: true,
        access: 'move-money',
        proof: 'recent',
      }),
      validate('json', GrantTokensBody),
      async (c) => {
        const { userId, tokens, expiresAt, reason } = c.req.valid('json');
        const granted = await grantTokens(deps.db, {
          staffId: c.var.identity.userId,
          viewerId: userId,
          tokens,
          expiresAt: new Date(expiresAt),
          reason,
          idempotencyKey: idempotencyKey(c),
        });
        deps.failpoint('promotion.granted');
        return c.json(granted, 201);
      },
    )
    .post(
      '/:id/decision',
      operation(deps, {
        summary: 'Let proposed promotional tokens go, or reject them',
        tag,
        answers: [200, GrantedTokens],
        problems: ['invalid-request', 'not-found', 'second-person-needed', 'already-decided'],
        access: 'move-money',
        proof: 'recent',
      }),
      validate('param', z.object({ id: Id })),
      validate('json', DecisionBody),
      async (c) => {
        const { id } = c.req.valid('param');
        const { approve } = c.req.valid('json');
        const decided = await decidePromotion(deps.db, id, c.var.identity.userId, approve);
        deps.failpoint('promotion.decided');
        return c.json(decided, 200);
      },
    );
}
