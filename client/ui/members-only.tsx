// Members only: asks a guest to log in and brings them back afterwards.

import type { ComponentChildren } from 'preact';
import type { Me } from '#contract';
import { useApp } from './app-context.ts';
import { ButtonLink } from './button.tsx';
import { Gate } from './gate.tsx';
import { PageSkeleton } from './page-skeleton.tsx';

function LogInFirst({ why }: { why: string }) {
  const { router } = useApp();
  const next = encodeURIComponent(router.url.value.pathname);
  return (
    <Gate
      title="Log in to go on"
      action={
        <>
          <ButtonLink look="primary" href={`/login?next=${next}`} data-testid="gate-login">
            Log in
          </ButtonLink>
          <ButtonLink href={`/register?next=${next}`}>Create an account</ButtonLink>
        </>
      }
    >
      {why}
    </Gate>
  );
}

type MembersOnlyProps = { why: string; children: (user: Me) => ComponentChildren };

export function MembersOnly({ why, children }: MembersOnlyProps) {
  const { session } = useApp();
  const user = session.user.value;
  if (session.restoring.value) return <PageSkeleton />;
  if (user) return <>{children(user)}</>;
  return <LogInFirst why={why} />;
}
