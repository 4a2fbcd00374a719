// A profile: who somebody is, what they stream, when they will be live, and what one is to them.
import { useEffect } from 'preact/hooks';
import type { Profile, ScheduleEntry } from '#contract';
import { createPeopleApi } from '../models/people-api.ts';
import { createProfile, type ProfileModel } from '../models/profile-page.ts';
import { useApp, useLife, useTitle } from '../ui/app-context.ts';
import { Avatar } from '../ui/avatar.tsx';
import { Badge, LiveBadge, ViewersBadge } from '../ui/badge.tsx';
import { Button, ButtonLink } from '../ui/button.tsx';
import { categoryFaces } from '../ui/category.ts';
import { FollowButton } from '../ui/follow-button.tsx';
import { formatCount, formatDayTime } from '../ui/format.ts';
import { Empty, Fault, Notice } from '../ui/notice.tsx';
import { PageSkeleton } from '../ui/page-skeleton.tsx';
import { StreamPicture } from '../ui/stream-picture.tsx';
import { NotFoundPage } from './not-found.tsx';
import './profile.css';

const closedWords = {
  members: 'The rest of this profile is for those who are logged in.',
  followers: 'The rest of this profile is for those who follow.',
  blocked: 'You have blocked this person.',
} as const;

function Head({
  model,
  profile,
  isOwn,
}: {
  model: ProfileModel;
  profile: Profile;
  isOwn: boolean;
}) {
  const { displayName, username, followers } = profile;
  return (
    <header class="profile-head">
      <Avatar name={displayName} size={112} url={profile.avatarUrl} />
      <div class="profile-names">
        <h1 data-testid="profile-name">
          <bdi>{displayName}</bdi>
        </h1>
        <p class="soft">
          @{username}
          {followers !== null && (
            <>
              {' · '}
              <span class="figure" data-testid="profile-followers">
                {formatCount(followers)} {followers === 1 ? 'follower' : 'followers'}
              </span>
            </>
          )}
        </p>
        {profile.isPerformer && <Badge tone="good">Performer</Badge>}
      </div>
      <div class="row wrap profile-acts">
        {isOwn ? (
          <ButtonLink href="/settings/profile" data-testid="edit-profile">
            Edit profile
          </ButtonLink>
        ) : (
          <FollowButton model={model} />
        )}
      </div>
    </header>
  );
}

function LiveNow({ profile }: { profile: Profile }) {
  const { live } = profile;
  if (!live) return null;
  return (
    <a class="profile-live" href={`/watch/${live.id}`} data-testid="profile-live">
      <span class="profile-live-picture">
        <StreamPicture stream={live} />
      </span>
      <span class="profile-live-text">
        <span class="row">
          <LiveBadge /> <ViewersBadge viewers={live.viewers} />
        </span>
        <b>
          <bdi>{live.title}</bdi>
        </b>
        <span class="soft">{categoryFaces[live.category].label}</span>
      </span>
    </a>
  );
}

function About({ profile }: { profile: Profile }) {
  const { bio, links } = profile;
  if (!bio && links.length === 0) return null;
  return (
    <section class="card profile-about" aria-labelledby="about-title">
      <h2 id="about-title">About</h2>
      {bio && (
        <p class="profile-bio" data-testid="profile-bio">
          <bdi>{bio}</bdi>
        </p>
      )}
      {links.length > 0 && (
        <ul class="profile-links">
          {links.map(({ title, url }) => (
            <li key={url}>
              <a href={url} target="_blank" rel="noopener noreferrer nofollow ugc">
                <bdi>{title}</bdi>
              </a>{' '}
              <span class="faint">{new URL(url).host}</span>
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}

function Entry({ entry }: { entry: ScheduleEntry }) {
  return (
    <li>
      <b>
        <bdi>{entry.title}</bdi>
      </b>
      <span class="soft">
        <time dateTime={entry.startsAt}>{formatDayTime(entry.startsAt)}</time> ·{' '}
        {categoryFaces[entry.category].label}
      </span>
    </li>
  );
}

function Schedule({ profile }: { profile: Profile }) {
  if (!profile.isPerformer || profile.closed) return null;
  return (
    <section class="card" aria-labelledby="schedule-title">
      <h2 id="schedule-title">Coming up</h2>
      {profile.schedule.length === 0 ? (
        <p class="soft">Nothing is announced yet.</p>
      ) : (
        <>
          <ul class="profile-schedule" data-testid="profile-schedule">
            {profile.schedule.map((entry) => (
              <Entry key={entry.id} entry={entry} />
            ))}
          </ul>
          <a href={`/v1/users/${profile.username}/schedule.ics`} download>
            Add to your calendar
          </a>
        </>
      )}
    </section>
  );
}

/** Muting and blocking, at the end of the page: nobody presses them in passing. */
function Shunning({ model, profile }: { model: ProfileModel; profile: Profile }) {
  const { relation } = profile;
  if (!relation) return null;
  return (
    <div class="row wrap profile-shunning">
      <Button
        look="ghost"
        size="small"
        busy={model.busy.value === 'mute'}
        onClick={() => model.toggle('mute')}
        data-testid="mute"
      >
        {relation.mutes ? 'Unmute' : 'Mute'}
      </Button>
      <Button
        look="ghost"
        size="small"
        busy={model.busy.value === 'block'}
        onClick={() => model.toggle('block')}
        data-testid="block"
      >
        {relation.blocks ? 'Unblock' : 'Block'}
      </Button>
    </div>
  );
}

function ShownProfile({ model, profile }: { model: ProfileModel; profile: Profile }) {
  const { session } = useApp();
  const isOwn = session.user.value?.id === profile.id;
  useTitle(`${profile.displayName} (@${profile.username})`);
  const isBare = !profile.closed && !profile.bio && !profile.links.length && !profile.isPerformer;
  return (
    <main class="page page-profile" id="main" tabIndex={-1} data-testid="page-profile">
      <Head model={model} profile={profile} isOwn={isOwn} />
      <LiveNow profile={profile} />
      {profile.closed && <Notice>{closedWords[profile.closed]}</Notice>}
      <div class="profile-grid">
        <About profile={profile} />
        <Schedule profile={profile} />
      </div>
      {isBare && (
        <Empty
          title={isOwn ? 'Nothing here yet' : 'They have not said anything of themselves yet'}
        />
      )}
      {!isOwn && <Shunning model={model} profile={profile} />}
    </main>
  );
}

function OpenProfile({ username }: { username: string }) {
  const app = useApp();
  const model = useLife(
    () =>
      createProfile({ who: username, api: createPeopleApi(app.api.request), toasts: app.toasts }),
    username,
  );
  useEffect(() => void model.load(), [model]);
  const profile = model.value.value;
  if (model.isMissing.value) return <NotFoundPage />;
  if (profile) return <ShownProfile model={model} profile={profile} />;
  if (!model.fault.value) return <PageSkeleton />;
  return (
    <main class="page" id="main" tabIndex={-1}>
      <Fault alone text={model.fault.value} onRetry={model.load} />
    </main>
  );
}

export function ProfilePage({ username }: { username: string }) {
  const { session } = useApp();
  // What is shown depends on who asks.
  if (session.restoring.value) return <PageSkeleton />;
  return <OpenProfile key={session.user.value?.id} username={username} />;
}
