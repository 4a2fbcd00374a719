// The frame of the log-in and register pages: a calm card beside a promise.
import type { ComponentChildren } from 'preact';
import { useTitle } from './app-context.ts';
import { Mark } from './logo.tsx';
import './auth-frame.css';

type AuthFrameProps = {
  name: string;
  title: string;
  lead: string;
  children: ComponentChildren;
  foot: ComponentChildren;
};

export function AuthFrame({ name, title, lead, children, foot }: AuthFrameProps) {
  useTitle(title);
  return (
    <main class="page auth" id="main" tabIndex={-1} data-testid={`page-${name}`}>
      <section class="auth-card" aria-labelledby="auth-title">
        <Mark size={44} />
        <div>
          <h1 id="auth-title">{title}</h1>
          <p class="soft">{lead}</p>
        </div>
        {children}
        <p class="auth-foot">{foot}</p>
      </section>
    </main>
  );
}
