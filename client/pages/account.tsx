// Account: who one is here, the theme, and the way out.

import { useSignal } from '@preact/signals';
import type { Me } from '#contract';
import { messageOf } from '../models/api-error.ts';
import { useApp } from '../ui/app-context.ts';
import { Avatar } from '../ui/avatar.tsx';
import { Badge } from '../ui/badge.tsx';
import { BecomePerformer } from '../ui/become-performer.tsx';
import { Button, ButtonLink } from '../ui/button.tsx';
import { formatDay } from '../ui/format.ts';
import { LeaveIcon, ShieldIcon, StudioIcon } from '../ui/icons.tsx';
import { MembersOnly } from '../ui/members-only.tsx';
import { RupeeIcon } from '../ui/money-icons.tsx';
import { Page } from '../ui/page.tsx';
import { ThemeChoice } from '../ui/theme-choice.tsx';
import './account.css';

const roleFaces = {
  viewer: { word: 'Viewer', tone: 'plain' },
  performer: { word: 'Performer', tone: 'good' },
  moderator: { word: 'Moderator', tone: 'warn' },
  finance: { word: 'Finance', tone: 'warn' },
  compliance: { word: 'Compliance', tone: 'warn' },
  admin: { word: 'Staff', tone: 'warn' },
} as const;

function countryName(code: string): string {
  return new Intl.DisplayNames([navigator.language, 'en'], { type: 'region' }).of(code) ?? code;
}

function Profile({ user }: { user: Me }) {
  const face = roleFaces[user.role];
  return (
    <section class="card account-card" aria-label="Profile">
      <div class="row">
        <Avatar name={user.username} size={64} />
        <div>
          <h2 data-testid="account-username">{user.username}</h2>
          <Badge tone={face.tone}>{face.word}</Badge>
        </div>
      </div>
      <div class="row wrap">
        <ButtonLink href="/settings/profile" data-testid="to-profile">
          Profile
        </ButtonLink>
        <ButtonLink href="/settings/preferences" data-testid="to-preferences">
          Preferences
        </ButtonLink>
        <ButtonLink href="/settings/people" data-testid="to-people">
          People
        </ButtonLink>
      </div>
      <dl class="facts">
        <div>
          <dt>E-mail</dt>
          <dd>{user.email}</dd>
        </div>
        <div>
          <dt>Country</dt>
          <dd>{countryName(user.country)}</dd>
        </div>
        <div>
          <dt>Member since</dt>
          <dd>{formatDay(user.createdAt)}</dd>
        </div>
      </dl>
      {user.role === 'performer' && (
        <div class="row wrap">
          <ButtonLink look="primary" href="/studio">
            <StudioIcon /> To the studio
          </ButtonLink>
          <ButtonLink href="/studio/earnings">
            <RupeeIcon size={18} /> Earnings and payouts
          </ButtonLink>
        </div>
      )}
    </section>
  );
}

function LogOut() {
  const { session, toasts, router } = useApp();
  const busy = useSignal(false);
  async function leave(): Promise<void> {
    busy.value = true;
    try {
      await session.logout();
      router.go('/');
    } catch (error) {
      toasts.show(messageOf(error), 'bad');
    } finally {
      busy.value = false;
    }
  }
  return (
    <Button busy={busy.value} onClick={leave} data-testid="logout">
      <LeaveIcon /> Log out
    </Button>
  );
}

export function AccountPage() {
  return (
    <MembersOnly why="Your account, your theme and your tokens are behind the log-in.">
      {(user) => (
        <Page name="account" title="Account">
          <div class="account-grid">
            <div class="stack">
              <Profile user={user} />
              <section class="card" aria-labelledby="look-title">
                <h2 id="look-title">Look</h2>
                <p class="soft">Dark for the stage, light for the day.</p>
                <ThemeChoice />
              </section>
              <section class="card" aria-labelledby="security-title">
                <h2 id="security-title">Security</h2>
                <p class="soft">An authenticator app, passkeys, and where you are logged in.</p>
                <ButtonLink href="/settings/security" data-testid="to-security">
                  <ShieldIcon size={18} /> Open security
                </ButtonLink>
              </section>
              <div class="row wrap">
                <ButtonLink href="/settings">Settings</ButtonLink>
                <LogOut />
              </div>
            </div>
            {user.role === 'viewer' && <BecomePerformer />}
          </div>
        </Page>
      )}
    </MembersOnly>
  );
}
