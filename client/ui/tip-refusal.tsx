// Why the last tip was refused, where that holds for the next one, too; and the way to one's own limits.
import type { TipBar } from '../models/tip-bar.ts';
import { Notice } from './notice.tsx';

export function TipRefusal({ bar }: { bar: TipBar }) {
  const refusal = bar.refusal.value;
  if (!refusal) return null;
  return (
    <div class="tip-refusal" data-testid="tip-refusal">
      <Notice tone="bad">
        {refusal.text} {refusal.ownLimit && <a href="/wallet/limits">See your limits</a>}
      </Notice>
    </div>
  );
}
