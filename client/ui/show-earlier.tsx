// The button below a list that comes in pages, newest first.
import type { Paged } from '../models/load.ts';
import { Button } from './button.tsx';
import './show-earlier.css';

type List = Pick<Paged<{ id: string }>, 'hasMore' | 'loading' | 'more'>;

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
