import { expect, test } from 'vitest';
import { type EditPreferencesBody, Preferences, type VersionedPreferences } from '#contract';
import { ApiError } from './api-error.ts';
import { createPreferencesPage } from './preferences-page.ts';

async function createScene() {
  let now: VersionedPreferences = { ...Preferences.parse({}), version: 1 };
  const sent: { version: number; changes: EditPreferencesBody }[] = [];
  const themes: string[] = [];
  let isLost = false;
  const page = createPreferencesPage({
    api: {
      preferences: async () => now,
      async editPreferences(version, changes) {
        sent.push({ version, changes });
        if (isLost) throw new ApiError('network', 0, null, 'lost');
        if (version !== now.version) {
          throw new ApiError('precondition-failed', 412, null, 'changed');
        }
        const notices = { ...now.notices, ...changes.notices };
        now = { ...now, ...changes, notices, version: version + 1 } as VersionedPreferences;
        return now;
      },
    },
    onTheme: (theme) => void themes.push(theme),
    onTold: () => {},
    timeZone: 'Asia/Kolkata',
  });
  await page.load();
  return {
    page,
    sent,
    themes,
    changeElsewhere(changes: Partial<VersionedPreferences>) {
      now = { ...now, ...changes, version: now.version + 1 };
    },
    lose() {
      isLost = true;
    },
  };
}

test('changes that follow each other quickly are all kept', async () => {
  const { page, sent, themes } = await createScene();
  page.change({ theme: 'dark' });
  page.tell('tip', 'email', true);
  await page.tell('tip', 'push', false);
  expect(sent.map(({ version }) => version)).toEqual([1, 2, 3]);
  expect(page.value.value).toMatchObject({
    theme: 'dark',
    notices: { tip: { app: true, push: false, email: true } },
    version: 4,
  });
  expect(themes).toEqual(['dark']);
  expect(page.saved.value).toBe(true);
});

test('what another device has changed meanwhile stays, and the change is made to it', async () => {
  const { page, changeElsewhere } = await createScene();
  changeElsewhere({ language: 'hi' });
  await page.change({ marketing: true });
  expect(page.value.value).toMatchObject({ language: 'hi', marketing: true });
  expect(page.fault.value).toBeNull();
});

test('a change that did not arrive is shown as not made', async () => {
  const { page, lose } = await createScene();
  lose();
  await page.change({ tipAnonymously: true });
  expect(page.value.value?.tipAnonymously).toBe(false);
  expect([page.saved.value, page.fault.value]).toEqual([
    false,
    'No connection. Check your network and try again.',
  ]);
});

test('what was picked does not jump back while what was picked before it is answered', async () => {
  const { page } = await createScene();
  const first = page.change({ theme: 'dark' });
  page.tell('tip', 'email', true);
  await first;
  expect(page.value.value?.notices.tip.email).toBe(true);
  await page.tell('tip', 'push', false);
  expect(page.value.value?.notices.tip).toEqual({ app: true, push: false, email: true });
});

test('quiet hours go by the clock of this device, and half a time changes nothing', async () => {
  const { page, sent } = await createScene();
  await page.setQuiet(true);
  await page.setQuietTime('from', '');
  await page.setQuietTime('from', '23:15');
  expect(page.value.value?.quietHours).toEqual({
    from: '23:15',
    to: '07:00',
    timeZone: 'Asia/Kolkata',
  });
  expect(sent).toHaveLength(2);
});
