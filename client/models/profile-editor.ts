// The editor of one's own profile: what was typed, saved by the version that was read, and the picture.
import { type Signal, signal } from '@preact/signals';
import { EditProfileBody, linksMax, type OwnProfile, type ProfilePrivacy } from '#contract';
import { hasCode, messageOf } from './api-error.ts';
import { createLoaded } from './load.ts';
import type { PeopleApi } from './people-api.ts';

export type ProfileEditorDeps = {
  api: Pick<PeopleApi, 'ownProfile' | 'editProfile' | 'setAvatar' | 'removeAvatar'>;
  /** Makes a picture of somebody out of any that the browser can draw. */
  shrinkPicture: (file: Blob) => Promise<Blob>;
};

export type LinkFields = { key: number; title: Signal<string>; url: Signal<string> };
type Faults = Partial<Record<'displayName' | 'bio' | 'links', string>>;

const words: Record<keyof Faults, string> = {
  displayName: 'Up to 40 letters that everybody can read, and no name that passes for our staff.',
  bio: 'Up to 1,000 letters.',
  links: 'Each link needs a title and an address that begins with https://.',
};

export function createProfileEditor({ api, shrinkPicture }: ProfileEditorDeps) {
  const loaded = createLoaded<OwnProfile>(api.ownProfile);
  const displayName = signal('');
  const bio = signal('');
  const links = signal<readonly LinkFields[]>([]);
  const privacy = signal<ProfilePrivacy>('public');
  const faults = signal<Faults>({});
  const fault = signal<string | null>(null);
  const saved = signal(false);
  const busy = signal<'save' | 'picture' | null>(null);
  let nextKey = 1;

  const linkOf = (title = '', url = ''): LinkFields => ({
    key: nextKey++,
    title: signal(title),
    url: signal(url),
  });

  function fill(profile: OwnProfile): void {
    displayName.value = profile.displayName;
    bio.value = profile.bio;
    links.value = profile.links.map(({ title, url }) => linkOf(title, url));
    privacy.value = profile.privacy;
  }

  /** What was typed; a line of links that is empty is none. */
  function read(): EditProfileBody | null {
    const typed = links.peek().map(({ title, url }) => ({ title: title.peek(), url: url.peek() }));
    const parsed = EditProfileBody.safeParse({
      displayName: displayName.peek(),
      bio: bio.peek(),
      links: typed.filter(({ title, url }) => title.trim() !== '' || url.trim() !== ''),
      privacy: privacy.peek(),
    });
    if (parsed.success) return parsed.data;
    const wrong = new Set(parsed.error.issues.map(({ path }) => path[0]));
    faults.value = Object.fromEntries(
      Object.entries(words).filter(([name]) => wrong.has(name)),
    ) as Faults;
    return null;
  }

  async function work(what: 'save' | 'picture', act: () => Promise<OwnProfile>): Promise<boolean> {
    if (busy.peek()) return false;
    busy.value = what;
    fault.value = null;
    saved.value = false;
    try {
      loaded.value.value = await act();
      return true;
    } catch (error) {
      fault.value = messageOf(error);
      if (hasCode(error, 'precondition-failed')) {
        fault.value =
          'Your profile was changed elsewhere meanwhile. What you typed is still here: save once more to keep it.';
        await loaded.load();
      }
      return false;
    } finally {
      busy.value = null;
    }
  }

  return {
    value: loaded.value,
    loadFault: loaded.fault,
    displayName,
    bio,
    links,
    privacy,
    faults,
    fault,
    saved,
    busy,
    async load(): Promise<void> {
      const isFirst = loaded.value.peek() === null;
      await loaded.load();
      const profile = loaded.value.peek();
      if (isFirst && profile) fill(profile);
    },
    addLink(): void {
      if (links.peek().length < linksMax) links.value = [...links.peek(), linkOf()];
    },
    dropLink(key: number): void {
      links.value = links.peek().filter((link) => link.key !== key);
    },
    async save(): Promise<void> {
      faults.value = {};
      const version = loaded.value.peek()?.version;
      const body = read();
      if (version === undefined || !body) return;
      const isTaken = await work('save', () => api.editProfile(version, body));
      const profile = loaded.value.peek();
      if (!isTaken || !profile) return;
      fill(profile);
      saved.value = true;
    },
    setPicture: (file: Blob) =>
      work('picture', async () => api.setAvatar(await shrinkPicture(file))),
    removePicture: () => work('picture', api.removeAvatar),
    close(): void {},
  };
}
export type ProfileEditor = ReturnType<typeof createProfileEditor>;
