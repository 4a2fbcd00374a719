// The button that follows somebody, or follows them no more; a guest is asked to log in.
import type { ProfileModel } from '../models/profile-page.ts';
import { useApp } from './app-context.ts';
import { Button, ButtonLink } from './button.tsx';

type FollowButtonProps = { model: ProfileModel; size?: 'small' | 'normal' };

export function FollowButton({ model, size = 'normal' }: FollowButtonProps) {
  const { session, router } = useApp();
  const profile = model.value.value;
  if (!profile) return null;
  if (!session.user.value) {
    const next = encodeURIComponent(router.url.value.pathname);
    return (
      <ButtonLink look="primary" size={size} href={`/login?next=${next}`} data-testid="follow">
        Follow
      </ButtonLink>
    );
  }
  if (!profile.relation || profile.id === session.user.value.id || profile.relation.blocks) {
    return null;
  }
  const { follows } = profile.relation;
  return (
    <Button
      look={follows ? 'quiet' : 'primary'}
      size={size}
      aria-pressed={follows}
      busy={model.busy.value === 'follow'}
      onClick={() => model.toggle('follow')}
      data-testid="follow"
    >
      {follows ? 'Following' : 'Follow'}
    </Button>
  );
}
