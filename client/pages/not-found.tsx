// Not found: an address that leads nowhere.
import { useTitle } from '../ui/app-context.ts';
import { ButtonLink } from '../ui/button.tsx';
import { Mark } from '../ui/logo.tsx';
import { Empty } from '../ui/notice.tsx';

export function NotFoundPage() {
  useTitle('Not found');
  return (
    <main class="page" id="main" tabIndex={-1} data-testid="page-not-found">
      <Empty
        art={<Mark size={64} />}
        title="There is nothing at this address"
        action={
          <ButtonLink look="primary" href="/">
            See who is live
          </ButtonLink>
        }
      >
        <p>The link may be old, or a letter may be missing.</p>
      </Empty>
    </main>
  );
}
