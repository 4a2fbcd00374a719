// What stands where something waits for a second factor that was not shown: why, and a button that asks again.
import { Button } from './button.tsx';
import { Notice } from './notice.tsx';
import { KeyIcon } from './security-icons.tsx';

type ProofNeededProps = {
  /** What does not happen, or is not seen, until one is shown. */
  children: string;
  busy?: boolean;
  onAsk: () => void;
};

export function ProofNeeded({ children, busy = false, onAsk }: ProofNeededProps) {
  return (
    <Notice tone="warn">
      <div class="stack" data-testid="proof-needed">
        <p>{children}</p>
        <div>
          <Button size="small" busy={busy} onClick={onAsk} data-testid="proof-ask">
            <KeyIcon size={17} /> Show a second factor
          </Button>
        </div>
      </div>
    </Notice>
  );
}
