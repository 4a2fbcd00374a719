import { expect, test } from 'vitest';
import type { Profile, RelationKind } from '#contract';
import { ApiError } from './api-error.ts';
import { createProfile } from './profile-page.ts';
import { createRelationList } from './relation-list.ts';

const profile: Profile = {
  id: '01900000-0000-7000-8000-000000000002',
  username: 'meera',
  displayName: 'Meera',
  avatarUrl: null,
  isPerformer: true,
  closed: null,
  bio: '',
  links: [],
  followers: 0,
  schedule: [],
  live: null,
  relation: { follows: false, blocks: false, mutes: false },
};

function createScene(first: Partial<Profile> = {}) {
  let shown: Profile = { ...profile, ...first };
  let refusal: ApiError | null = null;
  const toasts: string[] = [];
  const model = createProfile({
    who: 'meera',
    api: {
      async profile() {
        if (refusal) throw refusal;
        return shown;
      },
      async relate(kind: RelationKind, userId, is) {
        expect(userId).toBe(profile.id);
        if (refusal) throw refusal;
        const flag = ({ follow: 'follows', block: 'blocks', mute: 'mutes' } as const)[kind];
        if (!shown.relation) throw new Error('a guest has no relations');
        shown = { ...shown, relation: { ...shown.relation, [flag]: is } };
      },
    },
    toasts: { show: (text) => void toasts.push(text) },
  });
  return {
    model,
    toasts,
    refuse(error: ApiError | null) {
      refusal = error;
    },
  };
}

test('following is taken back by the same button', async () => {
  const { model } = createScene();
  await model.load();
  await model.toggle('follow');
  expect(model.value.value?.relation?.follows).toBe(true);
  await model.toggle('follow');
  expect(model.value.value?.relation?.follows).toBe(false);
});

test('a guest follows nobody, and a refusal changes nothing that is shown', async () => {
  const guest = createScene({ relation: null });
  await guest.model.load();
  await guest.model.toggle('follow');
  expect(guest.toasts).toEqual([]);
  const { model, toasts, refuse } = createScene();
  await model.load();
  refuse(new ApiError('network', 0, null, 'lost'));
  await model.toggle('block');
  expect(model.value.value?.relation?.blocks).toBe(false);
  expect(toasts).toHaveLength(1);
});

test('somebody who is not there is told from an answer that did not come', async () => {
  const { model, refuse } = createScene();
  refuse(new ApiError('network', 0, null, 'lost'));
  await model.load();
  expect(model.isMissing.value).toBe(false);
  refuse(new ApiError('not-found', 404, null, 'nobody'));
  await model.load();
  expect(model.isMissing.value).toBe(true);
});

test('whoever is let go leaves the list, once the edge has said so', async () => {
  let isLost = true;
  const person = { ...profile, since: '2026-01-01T00:00:00.000Z' };
  const model = createRelationList('mute', {
    api: {
      relations: async () => ({ people: [person], nextCursor: null }),
      async relate() {
        if (isLost) throw new ApiError('network', 0, null, 'lost');
      },
    },
    toasts: { show: () => {} },
  });
  await model.list.reload();
  await model.letGo(person.id);
  expect(model.list.items.value).toHaveLength(1);
  isLost = false;
  await model.letGo(person.id);
  expect(model.list.items.value).toEqual([]);
});
