// Settings: one's profile, preferences, and the people whom one follows or shuns.
import type { ComponentChildren } from 'preact';
import { useEffect } from 'preact/hooks';
import type { Me } from '#contract';
import { shrinkPicture } from '../media/shrink-picture.ts';
import { createCountryBlocks } from '../models/country-blocks.ts';
import { createPeopleApi } from '../models/people-api.ts';
import { createPreferencesPage } from '../models/preferences-page.ts';
import { createProfileEditor } from '../models/profile-editor.ts';
import { createRelationList } from '../models/relation-list.ts';
import type { PeopleView as View } from '../models/router.ts';
import { useApp, useLife } from '../ui/app-context.ts';
import { CountryBlocksCard } from '../ui/country-blocks-card.tsx';
import { MembersOnly } from '../ui/members-only.tsx';
import { Fault } from '../ui/notice.tsx';
import { Page } from '../ui/page.tsx';
import { PreferencesForm } from '../ui/preferences-form.tsx';
import { ProfileForm } from '../ui/profile-form.tsx';
import { RelationListView } from '../ui/relation-list-view.tsx';
import { SettingsNav } from '../ui/settings-nav.tsx';
import { Skeleton } from '../ui/skeleton.tsx';
import './settings.css';

const titles: Record<View, string> = {
  profile: 'Profile',
  preferences: 'Preferences',
  people: 'People',
};

type Loading = {
  value: { value: unknown };
  loadFault: { value: string | null };
  load: () => Promise<void>;
};

/** What is loaded, or why it is not there yet. */
function Once({ model, children }: { model: Loading; children: ComponentChildren }) {
  useEffect(() => void model.load(), [model]);
  if (model.value.value) return <>{children}</>;
  if (model.loadFault.value) return <Fault text={model.loadFault.value} onRetry={model.load} />;
  return <Skeleton width="100%" height="320px" />;
}

function ProfileView({ user }: { user: Me }) {
  const app = useApp();
  const model = useLife(() => {
    const api = createPeopleApi(app.api.request);
    const editor = createProfileEditor({ api, shrinkPicture });
    return { editor, countries: createCountryBlocks({ api }), close: editor.close };
  }, user.id);
  return (
    <div class="settings-grid">
      <Once model={model.editor}>
        <ProfileForm editor={model.editor} />
      </Once>
      {user.role === 'performer' && <CountryBlocksCard model={model.countries} />}
    </div>
  );
}

function PreferencesView({ user }: { user: Me }) {
  const app = useApp();
  const model = useLife(
    () =>
      createPreferencesPage({
        api: createPeopleApi(app.api.request),
        onTheme(theme) {
          app.theme.value = theme;
        },
        onTold: app.preferred.take,
        timeZone: Intl.DateTimeFormat().resolvedOptions().timeZone,
      }),
    user.id,
  );
  return (
    <Once model={model}>
      <PreferencesForm model={model} />
    </Once>
  );
}

function PeopleView({ user }: { user: Me }) {
  const app = useApp();
  const lists = useLife(() => {
    const deps = { api: createPeopleApi(app.api.request), toasts: app.toasts };
    const [blocked, muted, followed] = [
      createRelationList('block', deps),
      createRelationList('mute', deps),
      createRelationList('follow', deps),
    ];
    return { blocked, muted, followed, close() {} };
  }, user.id);
  return (
    <div class="settings-grid">
      <RelationListView model={lists.followed} />
      <div class="stack">
        <RelationListView model={lists.blocked} />
        <RelationListView model={lists.muted} />
      </div>
    </div>
  );
}

const views = { profile: ProfileView, preferences: PreferencesView, people: PeopleView };

export function PeopleSettingsPage({ view }: { view: View }) {
  const Shown = views[view];
  return (
    <MembersOnly why="Your settings are behind the log-in.">
      {(user) => (
        <Page name="settings" title={titles[view]} aside={<SettingsNav />}>
          <Shown key={user.id} user={user} />
        </Page>
      )}
    </MembersOnly>
  );
}
