// The frame of a page: its title, its heading, and the place where the skip link lands.
import type { ComponentChildren } from 'preact';
import { useTitle } from './app-context.ts';

type PageProps = {
  title: string;
  /** Said under the heading. */
  lead?: ComponentChildren;
  /** Beside the heading. */
  aside?: ComponentChildren;
  children: ComponentChildren;
  name: string;
};

export function Page({ title, lead, aside, children, name }: PageProps) {
  useTitle(title);
  return (
    <main class={`page page-${name}`} id="main" tabIndex={-1} data-testid={`page-${name}`}>
      <div class="page-head">
        <div>
          <h1>{title}</h1>
          {lead && <p>{lead}</p>}
        </div>
        {aside}
      </div>
      {children}
    </main>
  );
}
