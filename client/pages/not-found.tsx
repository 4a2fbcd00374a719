// Not found: an address that leads nowhere.
import { ButtonLink } from '../ui/button.tsx';
import { Gate } from '../ui/gate.tsx';

export function NotFoundPage() {
  return (
    <Gate
      title="There is nothing at this address"
      action={
        <ButtonLink look="primary" href="/">
          See who is live
        </ButtonLink>
      }
    >
      The link may be old, or a letter may be missing.
    </Gate>
  );
}
