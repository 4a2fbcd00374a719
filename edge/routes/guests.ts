// Guests: the age gate for people without an account.
import { Hono } from 'hono';
import { Guest, GuestBody } from '#contract';
import { readAdultYears } from '#db';
import type { AppEnv, Deps } from '../deps.ts';
import { problem } from '../problem.ts';
import { requireOwnOrigin } from '../services/access.ts';
import { isAdult } from '../services/age.ts';
import { admitGuest } from '../services/guests.ts';
import { operation } from '../services/operation.ts';
import { limits } from '../services/rate-limit.ts';
import { validate } from '../services/validate.ts';

export function guestRoutes(deps: Deps) {
  return new Hono<AppEnv>().use(requireOwnOrigin(deps)).post(
    '/',
    operation(deps, {
      summary: 'Say how old I am and where, to watch without an account',
      tag: 'Accounts',
      answers: [201, Guest],
      problems: ['invalid-request', 'under-age', 'unknown-country', 'untrusted-origin'],
      access: 'anyone',
      limit: limits.register,
    }),
    validate('json', GuestBody),
    async (c) => {
      const { country, dateOfBirth } = c.req.valid('json');
      const years = await readAdultYears(deps.db, country);
      const adult = isAdult(dateOfBirth, country, deps.now(), years);
      if (adult === null) throw problem('unknown-country');
      if (!adult) throw problem('under-age', { adultYears: years });
      return c.json(await admitGuest(deps, c, country), 201);
    },
  );
}
