// Becoming a performer: what it means, and the button that does it.
import { useSignal } from '@preact/signals';
import { messageOf } from '../models/api-error.ts';
import { useApp } from './app-context.ts';
import { Button } from './button.tsx';
import { Coin } from './coin.tsx';
import { CheckIcon, StudioIcon } from './icons.tsx';
import './become-performer.css';

export function BecomePerformer() {
  const { session, toasts } = useApp();
  const busy = useSignal(false);
  async function become(): Promise<void> {
    busy.value = true;
    try {
      await session.becomePerformer();
      toasts.show('You are a performer now. The studio is open.', 'good');
    } catch (error) {
      toasts.show(messageOf(error), 'bad');
    } finally {
      busy.value = false;
    }
  }
  return (
    <section class="become" aria-labelledby="become-title">
      <div class="become-icon" aria-hidden="true">
        <StudioIcon size={30} />
      </div>
      <h2 id="become-title">Become a performer</h2>
      <p class="soft">Go live from this browser, and earn from what people give you.</p>
      <ul>
        <li>
          <CheckIcon size={18} /> Nothing to install: camera, microphone and this page.
        </li>
        <li>
          <Coin size={18} /> Every tip earns you a fixed amount per token, shown before it is sent.
        </li>
        <li>
          <CheckIcon size={18} /> Your account stays as it is; the studio and your earnings come on
          top.
        </li>
        <li>
          <CheckIcon size={18} /> You are an adult, and everybody in the picture has agreed to be
          there.
        </li>
      </ul>
      <Button
        look="primary"
        size="large"
        busy={busy.value}
        onClick={become}
        data-testid="become-performer"
      >
        Become a performer
      </Button>
    </section>
  );
}
