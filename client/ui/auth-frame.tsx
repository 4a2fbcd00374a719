// The frame of the log-in and register pages: one calm card with a form, and the way on from there.
import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import type { AuthForm } from '../models/auth-form.ts';
import { safeReturnPath } from '../models/router.ts';
import { useApp, useTitle } from './app-context.ts';
import { Button } from './button.tsx';
import { Mark } from './logo.tsx';
import { Notice } from './notice.tsx';
import './auth-frame.css';

type AuthFrameProps = {
  name: 'login' | 'register';
  title: string;
  lead: string;
  form: AuthForm;
  /** On the button that sends the form. */
  action: string;
  /** Other ways on, below the form. */
  beside?: ComponentChildren;
  foot: ComponentChildren;
  children: ComponentChildren;
};

/** Sends the person back to where they came from once they are logged in. */
function useReturn(): void {
  const { session, router } = useApp();
  const next = router.search.value.get('next');
  const user = session.user.value;
  useEffect(() => {
    if (user) router.go(safeReturnPath(next), { replace: true });
  }, [user, next, router]);
}

type OtherWayProps = { to: '/login' | '/register'; question: string; answer: string };

/** To the other page, which leads back to the same place. */
export function OtherWay({ to, question, answer }: OtherWayProps) {
  const { router } = useApp();
  const next = router.search.value.get('next');
  return (
    <>
      {question} <a href={next ? `${to}?next=${encodeURIComponent(next)}` : to}>{answer}</a>
    </>
  );
}

type CardPageProps = {
  name: string;
  title: string;
  lead?: ComponentChildren;
  children?: ComponentChildren;
};

/** One calm card in the middle of a page. */
export function CardPage({ name, title, lead, children }: CardPageProps) {
  useTitle(title);
  return (
    <main class="page auth" id="main" tabIndex={-1} data-testid={`page-${name}`}>
      <section class="auth-card" aria-labelledby="auth-title">
        <Mark size={44} />
        <div>
          <h1 id="auth-title">{title}</h1>
          {lead && <p class="soft">{lead}</p>}
        </div>
        {children}
      </section>
    </main>
  );
}

type CardFormProps = {
  name: string;
  form: AuthForm;
  /** On the button that sends the form. */
  action: string;
  onSent?: () => void;
  children: ComponentChildren;
};

/** A form that says above what was refused, and leads to the first field that needs another look. */
export function CardForm({ name, form, action, onSent, children }: CardFormProps) {
  const element = useRef<HTMLFormElement>(null);
  const faults = form.faults.value;
  useEffect(() => {
    element.current?.querySelector<HTMLElement>('[aria-invalid]')?.focus();
  }, [faults]);
  async function send(): Promise<void> {
    if (await form.submit()) onSent?.();
  }
  return (
    <form
      ref={element}
      class="auth-form"
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        send();
      }}
    >
      {form.fault.value && <Notice tone="bad">{form.fault.value}</Notice>}
      {children}
      <Button
        look="primary"
        size="large"
        type="submit"
        wide
        busy={form.busy.value}
        data-testid={`${name}-submit`}
      >
        {action}
      </Button>
    </form>
  );
}

export function AuthFrame(props: AuthFrameProps) {
  const { name, title, lead, form, action, beside, foot, children } = props;
  useReturn();
  return (
    <CardPage name={name} title={title} lead={lead}>
      <CardForm name={name} form={form} action={action}>
        {children}
      </CardForm>
      {beside}
      <p class="auth-foot">{foot}</p>
    </CardPage>
  );
}
