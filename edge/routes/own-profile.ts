// My profile: what I show of myself, my picture, and how I want the product to be.
import { Hono } from 'hono';
import { EditPreferencesBody, EditProfileBody, OwnProfile, VersionedPreferences } from '#contract';
import { editPreferences, editProfile, readOwnProfile, readPreferences, setAvatar } from '#db';
import type { AppEnv, Deps } from '../deps.ts';
import { problem } from '../problem.ts';
import { cleanPicture } from '../services/avatar-picture.ts';
import { operation } from '../services/operation.ts';
import { limits } from '../services/rate-limit.ts';
import { validate } from '../services/validate.ts';
import { giveVersion, wantedVersion } from '../services/version.ts';

const tag = 'Profile';
const pictureTypes = /^image\/(jpeg|png|webp)$/i;
const versionProblems = ['precondition-required', 'precondition-failed'] as const;

export function ownProfileRoutes(deps: Deps) {
  return new Hono<AppEnv>()
    .get(
      '/profile',
      operation(deps, {
        summary: 'My profile, to be edited',
        tag,
        answers: [200, OwnProfile],
        access: 'keep-account',
      }),
      async (c) => {
        const profile = await readOwnProfile(deps.db, c.var.identity.userId);
        return giveVersion(c, profile, c.json(profile, 200));
      },
    )
    .patch(
      '/profile',
      operation(deps, {
        summary: 'Change my profile; If-Match names the version that I have read',
        tag,
        answers: [200, OwnProfile],
        problems: ['invalid-request', 'account-banned', ...versionProblems],
        access: 'keep-account',
        limit: limits.profile,
      }),
      validate('json', EditProfileBody),
      async (c) => {
        const profile = await editProfile(deps.db, {
          userId: c.var.identity.userId,
          version: wantedVersion(c),
          changes: c.req.valid('json'),
        });
        return giveVersion(c, profile, c.json(profile, 200));
      },
    )
    .put(
      '/avatar',
      operation(deps, {
        summary:
          'My picture, as the bytes of a JPEG, PNG or WebP; what it says beside the picture is dropped',
        tag,
        answers: [200, OwnProfile],
        problems: ['picture-refused', 'body-too-large', 'unsupported-media-type', 'account-banned'],
        access: 'keep-account',
        limit: limits.avatar,
      }),
      async (c) => {
        const type = c.req.header('content-type') ?? '';
        if (!pictureTypes.test(type)) throw problem('unsupported-media-type');
        const picture = cleanPicture(new Uint8Array(await c.req.arrayBuffer()));
        const profile = await setAvatar(deps.db, c.var.identity.userId, picture);
        return giveVersion(c, profile, c.json(profile, 200));
      },
    )
    .delete(
      '/avatar',
      operation(deps, {
        summary: 'Have no picture any more',
        tag,
        answers: [200, OwnProfile],
        problems: ['account-banned'],
        access: 'keep-account',
        limit: limits.avatar,
      }),
      async (c) => {
        const profile = await setAvatar(deps.db, c.var.identity.userId, null);
        return giveVersion(c, profile, c.json(profile, 200));
      },
    )
    .get(
      '/preferences',
      operation(deps, {
        summary: 'How I want the product to look, sound, and get in touch',
        tag,
        answers: [200, VersionedPreferences],
        access: 'keep-account',
      }),
      async (c) => {
        const preferences = await readPreferences(deps.db, c.var.identity.userId);
        return giveVersion(c, preferences, c.json(preferences, 200));
      },
    )
    .patch(
      '/preferences',
      operation(deps, {
        summary: 'Change some of that; If-Match names the version that I have read',
        tag,
        answers: [200, VersionedPreferences],
        problems: ['invalid-request', ...versionProblems],
        access: 'keep-account',
        limit: limits.profile,
      }),
      validate('json', EditPreferencesBody),
      async (c) => {
        const preferences = await editPreferences(deps.db, {
          userId: c.var.identity.userId,
          version: wantedVersion(c),
          changes: c.req.valid('json'),
        });
        return giveVersion(c, preferences, c.json(preferences, 200));
      },
    );
}
