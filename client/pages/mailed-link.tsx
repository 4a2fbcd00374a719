// The pages that mailed links lead to: each uses the secret behind the # once, and says what came of it.
import { useSignal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { useEffect, useMemo } from 'preact/hooks';
import type { LinkPurpose } from '#contract';
import { type ActLink, createAccountApi } from '../models/account-api.ts';
import { createResetForm } from '../models/account-forms.ts';
import type { App } from '../models/app.ts';
import { createMailedLink, type MailedLink } from '../models/mailed-link.ts';
import { useApp } from '../ui/app-context.ts';
import { CardForm, CardPage } from '../ui/auth-frame.tsx';
import { Button, ButtonLink } from '../ui/button.tsx';
import { CodeField } from '../ui/code-field.tsx';
import { Notice } from '../ui/notice.tsx';
import { PasswordField } from '../ui/password-field.tsx';

interface Face {
  title: string;
  lead: string;
  /** On the button; links that only confirm a mailbox are used at once. */
  action: string;
  atOnce?: true;
  done: string;
  /** The way on, once it is done. */
  onward: { href: string; label: string };
}

const home = { href: '/', label: 'To the start page' };
const logIn = { href: '/login', label: 'Log in' };

const faces: Record<Exclude<LinkPurpose, 'reset'>, Face> = {
  verify: {
    title: 'Confirm your address',
    lead: 'One moment, we look at your link.',
    action: 'Confirm address',
    atOnce: true,
    done: 'Your address is confirmed. You can chat, tip and go live now.',
    onward: { href: '/', label: 'See who is live' },
  },
  change: {
    title: 'Your new address',
    lead: 'One moment, we look at your link.',
    action: 'Confirm new address',
    atOnce: true,
    done: 'Your account belongs to this address now. The one of before was told, and can take it back for a week.',
    onward: { href: '/settings', label: 'To the settings' },
  },
  undo: {
    title: 'Take the change back?',
    lead: 'Your account returns to this address, and everybody is logged out, you too.',
    action: 'Take it back',
    done: 'Your account belongs to this address again. If it was not you who changed it, choose a new password now.',
    onward: { href: '/forgot-password', label: 'Choose a new password' },
  },
  keep: {
    title: 'Keep your account?',
    lead: 'It is going to be erased. With this you have it back as it was.',
    action: 'Keep my account',
    done: 'Your account stays as it was. Log in to go on.',
    onward: logIn,
  },
  login: {
    title: 'Log in by this link',
    lead: 'No password needed. Do it in a browser of your own: it is known to us from then on.',
    action: 'Log in',
    done: 'You are logged in.',
    onward: { href: '/', label: 'See who is live' },
  },
};

/** What using a link of this purpose is, and what the app learns by it. */
function useOf(app: App, purpose: Exclude<LinkPurpose, 'reset'>) {
  const { session, api } = app;
  if (purpose === 'login') return session.loginByLink;
  return async (token: string): Promise<void> => {
    await createAccountApi(api.request).useLink(purpose satisfies ActLink, token);
    if (purpose === 'undo') session.forget();
    // What it has changed stands on the next page; that it could not be read yet is no fault of the link.
    else await session.refresh().catch(() => null);
  };
}

function NoSecret() {
  return (
    <Notice tone="warn">
      There is no secret in this address. Open the link in the mail itself, or copy the whole of it.
    </Notice>
  );
}

/** Links about one's own account are for whoever is logged in to it. */
const ownPurposes: readonly LinkPurpose[] = ['verify', 'change'];

function LogInFirst({ title }: { title: string }) {
  return (
    <CardPage name="link-login-first" title={title}>
      <Notice tone="warn">
        Log in to your account in this browser first, and open the link in the mail once more.
      </Notice>
      <ButtonLink look="primary" size="large" wide href="/login" data-testid="link-login-first">
        Log in
      </ButtonLink>
    </CardPage>
  );
}

/** The link was right, and the account asks for a second factor as well. */
function Code({ link, title }: { link: MailedLink; title: string }) {
  return (
    <CardPage name="link-code" title={title} lead="This account asks for a second factor as well.">
      <CardForm name="link-code" form={link.code} action="Go on">
        <CodeField form={link.code} />
      </CardForm>
    </CardPage>
  );
}

function Act({ purpose }: { purpose: Exclude<LinkPurpose, 'reset'> }) {
  const app = useApp();
  const face = faces[purpose];
  const link = useMemo(
    () =>
      createMailedLink({
        token: app.router.takeFragment(),
        use: useOf(app, purpose),
        ...(purpose === 'login' ? { loginWithCode: app.session.loginWithCode } : {}),
      }),
    [app, purpose],
  );
  const isKnown = !app.session.restoring.value;
  const isNobody = isKnown && !app.session.user.value && ownPurposes.includes(purpose);
  useEffect(() => {
    // Whoever is logged in is known by then, and hears of what has changed.
    if (isKnown && !isNobody && face.atOnce) link.send();
  }, [isKnown, isNobody, face, link]);
  const state = link.state.value;
  if (state === 'code') return <Code link={link} title={face.title} />;
  if (isNobody && state === 'ready') return <LogInFirst title={face.title} />;
  const isOver = state !== 'ready' && state !== 'busy';
  const onward = state === 'done' ? face.onward : home;
  return (
    <CardPage name={`link-${purpose}`} title={face.title} lead={isOver ? null : face.lead}>
      <div role="status" class="stack" data-testid="link-state" data-state={state}>
        {state === 'missing' && <NoSecret />}
        {link.fault.value && <Notice tone="bad">{link.fault.value}</Notice>}
        {state === 'done' && <Notice tone="good">{face.done}</Notice>}
      </div>
      {isOver ? (
        <ButtonLink look="primary" size="large" wide href={onward.href}>
          {onward.label}
        </ButtonLink>
      ) : (
        <Button
          look="primary"
          size="large"
          wide
          busy={state === 'busy'}
          onClick={link.send}
          data-testid="link-use"
        >
          {link.fault.value ? 'Try again' : face.action}
        </Button>
      )}
    </CardPage>
  );
}

function Done({ children }: { children: ComponentChildren }) {
  return (
    <div class="stack" data-testid="reset-done">
      <Notice tone="good">{children}</Notice>
      <ButtonLink look="primary" size="large" wide href={logIn.href}>
        {logIn.label}
      </ButtonLink>
    </div>
  );
}

function ResetPassword() {
  const { api, router, session } = useApp();
  const token = useMemo(() => router.takeFragment(), [router]);
  const form = useMemo(() => createResetForm(createAccountApi(api.request), token), [api, token]);
  const done = useSignal(false);
  return (
    <CardPage
      name="reset-password"
      title="Choose a new password"
      lead={done.value ? null : 'All your devices are logged out when you do.'}
    >
      {!token && <NoSecret />}
      {done.value && <Done>Your new password counts from now on. Log in with it.</Done>}
      {token && !done.value && (
        <CardForm
          name="reset"
          form={form}
          action="Take this password"
          onSent={() => {
            done.value = true;
            session.forget();
          }}
        >
          <PasswordField
            label="New password"
            value={form.typed.password}
            autocomplete="new-password"
            hint="At least 10 characters. Several words are good."
            fault={form.faults.value.password}
          />
        </CardForm>
      )}
      {!done.value && (
        <p class="auth-foot">
          The link is too old? <a href="/forgot-password">Ask for a new one</a>
        </p>
      )}
    </CardPage>
  );
}

export function MailedLinkPage({ purpose }: { purpose: LinkPurpose }) {
  return purpose === 'reset' ? <ResetPassword /> : <Act purpose={purpose} />;
}
