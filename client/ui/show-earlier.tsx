// The button below a list that comes in pages, newest first.
import type { ReadonlySignal } from '@preact/signals';
import { Button } from './button.tsx';
import './show-earlier.css';

type List = {
  hasMore: ReadonlySignal<boolean>;
  loading: ReadonlySignal<boolean>;
  more(): Promise<void>;
};

export function ShowEarlier({ list, testId }: { list: List; testId: string }) {
  if (!list.hasMore.value) return null;
  return (
    <div class="show-earlier">
      <Button busy={list.loading.value} onClick={list.more} data-testid={testId}>
        Show earlier ones
      </Button>
    </div>
  );
}
