// What can be done about a line of the chat, and about who said it.
import type { ChatLine, ChatOrder } from '../models/chat-order.ts';
import { silenceMinutes } from '../models/chat-order.ts';
import { profileHref } from '../models/router.ts';
import { Button, ButtonLink } from './button.tsx';
import { Dialog } from './dialog.tsx';
import './chat-line-menu.css';

type MenuProps = { order: ChatOrder; hostId: string | null };
type ActProps = { order: ChatOrder; act: () => void; look?: 'danger'; label: string; id: string };

function Act({ order, act, look, label, id }: ActProps) {
  return (
    <Button
      wide
      {...(look && { look })}
      disabled={order.busy.value}
      onClick={act}
      data-testid={`line-${id}`}
    >
      {label}
    </Button>
  );
}

/** For who keeps order: the line itself, and whoever said it in these rooms. */
function KeepOrder({ order, hostId, line }: MenuProps & { line: ChatLine }) {
  const { userId } = line.data;
  const isHost = order.self?.id === hostId;
  const keeps = order.moderators.value.has(userId);
  if (userId === hostId || userId === order.self?.id) return null;
  return (
    <section class="line-menu-part" aria-label="Keep order">
      <h3>Keep order</h3>
      <Act
        order={order}
        act={order.silence}
        label={`Silence for ${silenceMinutes} minutes`}
        id="silence"
      />
      <Act order={order} act={order.ban} look="danger" label="Ban from these rooms" id="ban" />
      <Act order={order} act={order.lift} label="Let them talk and watch again" id="lift" />
      {isHost && (
        <Act
          order={order}
          act={() => order.setModerator(!keeps)}
          label={keeps ? 'Take the keeping of order back' : 'Let them keep order here'}
          id="moderator"
        />
      )}
    </section>
  );
}

function Acts({ order, hostId, line }: MenuProps & { line: ChatLine }) {
  const { userId, username } = line.data;
  const isOwn = order.self?.id === userId;
  const mayDelete = isOwn || order.keepsOrder(hostId);
  return (
    <>
      <div class="line-menu-part">
        <ButtonLink wide href={profileHref(username)} data-testid="line-profile">
          See their profile
        </ButtonLink>
        {mayDelete && (
          <Act order={order} act={order.deleteLine} label="Take this line away" id="delete" />
        )}
        {order.self && !isOwn && (
          <>
            <Act order={order} act={order.mute} label="Mute: hide what they say" id="mute" />
            <Act order={order} act={order.block} look="danger" label="Block" id="block" />
          </>
        )}
      </div>
      {order.keepsOrder(hostId) && <KeepOrder order={order} hostId={hostId} line={line} />}
    </>
  );
}

export function ChatLineMenu({ order, hostId }: MenuProps) {
  const line = order.picked.value;
  const close = (): void => {
    order.picked.value = null;
  };
  return (
    <Dialog
      title={line?.data.username ?? ''}
      open={line !== null}
      onClose={close}
      actions={<Button onClick={close}>Close</Button>}
    >
      {line && (
        <>
          <p class="line-menu-words">
            <bdi>{line.data.body}</bdi>
          </p>
          <Acts order={order} hostId={hostId} line={line} />
        </>
      )}
    </Dialog>
  );
}
