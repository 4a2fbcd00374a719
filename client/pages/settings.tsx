// Settings: the address and the password of an account, a copy of its data, and its end.
import { useSignal } from '@preact/signals';
import { useMemo } from 'preact/hooks';
import type { Me } from '#contract';
import { type AccountApi, createAccountApi } from '../models/account-api.ts';
import {
  createEmailForm,
  createPasswordForm,
  createUsernameForm,
} from '../models/account-forms.ts';
import type { SettingsView } from '../models/router.ts';
import { useApp } from '../ui/app-context.ts';
import { CardForm } from '../ui/auth-frame.tsx';
import { Badge } from '../ui/badge.tsx';
import { ClosingCard } from '../ui/closing-card.tsx';
import { EmailField } from '../ui/email-field.tsx';
import { ExportCard } from '../ui/export-card.tsx';
import { TextField } from '../ui/field.tsx';
import { MembersOnly } from '../ui/members-only.tsx';
import { Notice } from '../ui/notice.tsx';
import { Page } from '../ui/page.tsx';
import { PasswordField } from '../ui/password-field.tsx';
import { SettingsNav } from '../ui/settings-nav.tsx';
import './settings.css';

function EmailCard({ user, api }: { user: Me; api: AccountApi }) {
  const form = useMemo(() => createEmailForm(api), [api]);
  const sentTo = useSignal<string | null>(null);
  const { typed } = form;
  const faults = form.faults.value;
  return (
    <section class="card" aria-labelledby="email-title">
      <h2 id="email-title">E-mail address</h2>
      <p class="row wrap">
        <b data-testid="settings-email">{user.email}</b>{' '}
        <Badge tone={user.emailVerified ? 'good' : 'warn'}>
          {user.emailVerified ? 'Confirmed' : 'Not confirmed'}
        </Badge>
      </p>
      {sentTo.value && (
        <Notice tone="good">
          A link is on its way to {sentTo.value}. Your account moves there once you open it.
        </Notice>
      )}
      <CardForm
        name="email"
        form={form}
        action="Change the address"
        onSent={() => {
          sentTo.value = typed.email.peek().trim();
          form.clear();
        }}
      >
        <EmailField label="New address" value={typed.email} fault={faults.email} />
        <PasswordField
          label="Your password"
          value={typed.password}
          autocomplete="current-password"
          fault={faults.password}
          data-testid="email-password"
        />
      </CardForm>
      <p class="faint">The address of now is told, and can take the change back for a week.</p>
    </section>
  );
}

function PasswordCard({ api }: { api: AccountApi }) {
  const { toasts } = useApp();
  const form = useMemo(() => createPasswordForm(api), [api]);
  const { typed } = form;
  const faults = form.faults.value;
  return (
    <section class="card" aria-labelledby="password-title">
      <h2 id="password-title">Password</h2>
      <p class="soft">All other devices are logged out when it changes.</p>
      <CardForm
        name="password"
        form={form}
        action="Change the password"
        onSent={() => {
          form.clear();
          toasts.show('Your new password counts from now on.', 'good');
        }}
      >
        <PasswordField
          label="Present password"
          value={typed.currentPassword}
          autocomplete="current-password"
          fault={faults.currentPassword}
          data-testid="current-password"
        />
        <PasswordField
          label="New password"
          value={typed.newPassword}
          autocomplete="new-password"
          hint="At least 10 characters. Several words are good."
          fault={faults.newPassword}
          data-testid="new-password"
        />
      </CardForm>
      <p class="faint">
        Forgotten? <a href="/forgot-password">Choose a new one by mail</a>
      </p>
    </section>
  );
}

function UsernameCard({ user }: { user: Me }) {
  const { session, toasts } = useApp();
  const form = useMemo(() => createUsernameForm(session.rename), [session]);
  return (
    <section class="card" aria-labelledby="username-title">
      <h2 id="username-title">User name</h2>
      <p class="soft">
        Everybody sees you as <b data-testid="settings-username">{user.username}</b>. It can be
        changed once a month; nobody else gets the one of before for that long.
      </p>
      <CardForm
        name="username"
        form={form}
        action="Change the name"
        onSent={() => {
          form.clear();
          toasts.show('You have a new name.', 'good');
        }}
      >
        <TextField
          label="New user name"
          name="username"
          autocomplete="username"
          autocapitalize="none"
          spellcheck={false}
          maxLength={24}
          required
          value={form.typed.username}
          fault={form.faults.value.username}
          data-testid="new-username"
        />
      </CardForm>
    </section>
  );
}

function AccountView({ user }: { user: Me }) {
  const app = useApp();
  const api = useMemo(() => createAccountApi(app.api.request), [app]);
  return (
    <div class="settings-grid">
      <EmailCard user={user} api={api} />
      <PasswordCard api={api} />
      <UsernameCard user={user} />
    </div>
  );
}

function OwnDataView() {
  const app = useApp();
  const api = useMemo(() => createAccountApi(app.api.request), [app]);
  return (
    <div class="settings-grid">
      <ExportCard api={api} />
      <ClosingCard api={api} />
    </div>
  );
}

export function SettingsPage({ view }: { view: SettingsView }) {
  return (
    <MembersOnly why="Your settings are behind the log-in.">
      {(user) => (
        <Page name="settings" title="Settings" aside={<SettingsNav />}>
          {view === 'account' ? <AccountView user={user} /> : <OwnDataView />}
        </Page>
      )}
    </MembersOnly>
  );
}
