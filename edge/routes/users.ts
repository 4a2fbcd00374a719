// Users: what others see of somebody: their profile, their picture, and when they mean to be live.
import { Hono } from 'hono';
import { z } from 'zod';
import { Id, Profile, WhoParams } from '#contract';
import { readAvatar, readProfile } from '#db';
import type { AppEnv, Deps } from '../deps.ts';
import { problem } from '../problem.ts';
import { operation } from '../services/operation.ts';
import { viewerCountries, viewerOf } from '../services/rooms.ts';
import { scheduleCalendar } from '../services/schedule-calendar.ts';
import { validate } from '../services/validate.ts';
import { answerUnchanged } from '../services/version.ts';

const tag = 'Users';
/** A profile changes with who is live. */
const guestCacheSeconds = 15;
const calendarCacheSeconds = 900;
const avatarCache = 'public, max-age=31536000, immutable';

export function userRoutes(deps: Deps) {
  return new Hono<AppEnv>()
    .get(
      '/:who',
      operation(deps, {
        summary: 'What somebody shows of themselves, by user name or id',
        tag,
        answers: [200, Profile],
        problems: ['invalid-request', 'not-found'],
        mayBeUnchanged: true,
        access: 'visitor',
      }),
      validate('param', WhoParams),
      async (c) => {
        const { identity, guest } = viewerOf(c);
        const seen = await readProfile(deps.db, {
          who: c.req.valid('param').who,
          askerId: identity?.userId ?? null,
          countries: viewerCountries(deps, c),
        });
        if (!seen) throw problem('not-found');
        // What all guests see alike may be kept for them; what one person sees, by nobody else.
        const isStranger = !identity && !guest;
        const isForAll = seen.isForAll && isStranger;
        // A stranger may be under age, or where the performer is not to be seen: no list shows them that either.
        const { live } = seen.profile;
        const isHidden = isStranger && (!seen.isForAll || live?.contentClass === 'mature');
        const profile = isHidden ? { ...seen.profile, live: null } : seen.profile;
        c.header(
          'cache-control',
          isForAll ? `public, max-age=${guestCacheSeconds}` : 'private, no-cache',
        );
        c.header('vary', 'authorization, cookie');
        return answerUnchanged(c, c.json(profile, 200));
      },
    )
    .get(
      '/:who/schedule.ics',
      operation(deps, {
        summary: 'When a performer means to be live, for calendars (RFC 5545)',
        tag,
        answers: [200, ['text/calendar']],
        problems: ['invalid-request', 'not-found'],
        access: 'visitor',
      }),
      validate('param', WhoParams),
      async (c) => {
        const { identity, guest } = viewerOf(c);
        const seen = await readProfile(deps.db, {
          who: c.req.valid('param').who,
          askerId: identity?.userId ?? null,
          countries: viewerCountries(deps, c),
        });
        if (!seen?.profile.isPerformer) throw problem('not-found');
        const calendar = scheduleCalendar(seen.profile, {
          origin: deps.config.APP_ORIGIN,
          now: deps.now(),
        });
        const isForAll = seen.isForAll && !identity && !guest;
        return c.body(calendar, 200, {
          'content-type': 'text/calendar; charset=utf-8',
          'content-disposition': `attachment; filename="${seen.profile.username}.ics"`,
          'cache-control': isForAll
            ? `public, max-age=${calendarCacheSeconds}`
            : 'private, no-cache',
          vary: 'authorization, cookie',
        });
      },
    );
}

export function avatarRoutes(deps: Deps) {
  return new Hono<AppEnv>().get(
    '/:id',
    operation(deps, {
      summary: 'A picture of somebody; its bytes never change',
      tag,
      answers: [200, ['image/jpeg', 'image/png', 'image/webp']],
      problems: ['invalid-request', 'not-found'],
      access: 'anyone',
    }),
    validate('param', z.object({ id: Id })),
    async (c) => {
      const picture = await readAvatar(deps.db, c.req.valid('param').id);
      if (!picture) throw problem('not-found');
      return c.body(picture.bytes, 200, {
        'content-type': picture.type,
        'content-disposition': 'inline',
        'cache-control': avatarCache,
        'x-content-type-options': 'nosniff',
        'cross-origin-resource-policy': 'same-origin',
        // Whatever a browser took it for, it could do nothing.
        'content-security-policy': "default-src 'none'; sandbox; frame-ancestors 'none'",
      });
    },
  );
}
