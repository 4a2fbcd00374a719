// Security: second factors, passkeys, and the devices one is logged in on.
import { createPasskeys } from '../models/passkeys.ts';
import { openSecurity } from '../models/security-page.ts';
import { useApp, useLife } from '../ui/app-context.ts';
import { AuthenticatorCard } from '../ui/authenticator-card.tsx';
import { DevicesCard } from '../ui/devices-card.tsx';
import { MembersOnly } from '../ui/members-only.tsx';
import { Page } from '../ui/page.tsx';
import { PasskeysCard } from '../ui/passkeys-card.tsx';
import { SettingsNav } from '../ui/settings-nav.tsx';
import './security.css';

function SecurityContent({ userId }: { userId: string }) {
  const app = useApp();
  const model = useLife(() => openSecurity(app, createPasskeys(window)), userId);
  return (
    <Page name="security" title="Security" aside={<SettingsNav />}>
      <div class="security-grid">
        <div class="stack">
          <AuthenticatorCard model={model} />
          <PasskeysCard model={model.passkeys} />
        </div>
        <DevicesCard model={model.devices} />
      </div>
    </Page>
  );
}

export function SecurityPage() {
  return (
    <MembersOnly why="How you log in is behind the log-in.">
      {(user) => <SecurityContent userId={user.id} />}
    </MembersOnly>
  );
}
