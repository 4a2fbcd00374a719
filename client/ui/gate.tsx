// A gate: in the place of a page that is not there, or not for this person, with the way on.
import type { ComponentChildren } from 'preact';
import { useTitle } from './app-context.ts';
import { Mark } from './logo.tsx';
import { Empty } from './notice.tsx';

type GateProps = { title: string; children: ComponentChildren; action: ComponentChildren };

export function Gate({ title, children, action }: GateProps) {
  useTitle(title);
  return (
    <main class="page" id="main" tabIndex={-1} data-testid="gate">
      <Empty alone art={<Mark size={56} />} title={title} action={action}>
        <p>{children}</p>
      </Empty>
    </main>
  );
}
