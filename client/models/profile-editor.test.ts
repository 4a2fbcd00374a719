import { expect, test } from 'vitest';
import type { EditProfileBody, OwnProfile } from '#contract';
import { ApiError } from './api-error.ts';
import { createProfileEditor } from './profile-editor.ts';

const stored: OwnProfile = {
  username: 'meera',
  displayName: 'Meera',
  bio: 'Piano.',
  links: [{ title: 'Page', url: 'https://example.com/' }],
  privacy: 'public',
  avatarUrl: null,
  version: 3,
};

async function createScene() {
  const sent: { version: number; body: EditProfileBody }[] = [];
  let now = stored;
  const editor = createProfileEditor({
    api: {
      ownProfile: async () => now,
      async editProfile(version, body) {
        sent.push({ version, body });
        if (version !== now.version) {
          throw new ApiError('precondition-failed', 412, null, 'changed');
        }
        now = { ...now, version: version + 1 } as OwnProfile;
        return now;
      },
      async setAvatar(picture) {
        now = { ...now, avatarUrl: `/v1/avatars/${picture.size}`, version: now.version + 1 };
        return now;
      },
      async removeAvatar() {
        now = { ...now, avatarUrl: null, version: now.version + 1 };
        return now;
      },
    },
    shrinkPicture: async () => new Blob(['small']),
  });
  await editor.load();
  return {
    editor,
    sent,
    changeElsewhere() {
      now = { ...now, version: now.version + 1 };
    },
  };
}

test('what is stored stands in the fields, and is sent by the version that was read', async () => {
  const { editor, sent } = await createScene();
  expect(editor.displayName.value).toBe('Meera');
  editor.bio.value = 'Piano at night.';
  editor.addLink();
  await editor.save();
  // A line of links that nobody filled is none.
  expect(sent).toEqual([
    {
      version: 3,
      body: {
        displayName: 'Meera',
        bio: 'Piano at night.',
        links: stored.links,
        privacy: 'public',
      },
    },
  ]);
  expect(editor.saved.value).toBe(true);
});

test('what does not fit is said beside its field, and nothing is sent', async () => {
  const { editor, sent } = await createScene();
  editor.displayName.value = 'LivePanty Support';
  editor.addLink();
  const [, added] = editor.links.value;
  if (added) added.url.value = 'javascript:alert(1)';
  await editor.save();
  expect(sent).toEqual([]);
  expect(Object.keys(editor.faults.value).toSorted()).toEqual(['displayName', 'links']);
});

test('a profile that was changed elsewhere keeps what was typed, and the next save is taken', async () => {
  const { editor, sent, changeElsewhere } = await createScene();
  changeElsewhere();
  editor.bio.value = 'Mine.';
  await editor.save();
  expect(editor.saved.value).toBe(false);
  expect([editor.bio.value, editor.fault.value]).toEqual([
    'Mine.',
    expect.stringContaining('save once more'),
  ]);
  await editor.save();
  expect(sent.map(({ version }) => version)).toEqual([3, 4]);
  expect(editor.saved.value).toBe(true);
});

test('a picture is made small before it is sent, and leaves what is typed', async () => {
  const { editor, sent } = await createScene();
  editor.bio.value = 'Half a sen';
  await editor.setPicture(new Blob(['a large picture']));
  expect(editor.value.value?.avatarUrl).toBe('/v1/avatars/5');
  expect(editor.bio.value).toBe('Half a sen');
  // The picture has made a new version, which the next save means.
  await editor.save();
  expect(sent[0]?.version).toBe(4);
  await editor.removePicture();
  expect(editor.value.value?.avatarUrl).toBeNull();
});
