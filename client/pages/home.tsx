// Home: everybody who is live now.
import { useEffect } from 'preact/hooks';
import { createLiveList, type LiveList } from '../models/live-list.ts';
import { useApp, useLife, useTitle } from '../ui/app-context.ts';
import { Button, ButtonLink } from '../ui/button.tsx';
import { categories, categoryFaces } from '../ui/category.ts';
import { Hero } from '../ui/hero.tsx';
import { Mark } from '../ui/logo.tsx';
import { Empty, Fault } from '../ui/notice.tsx';
import { Loading } from '../ui/skeleton.tsx';
import { StreamCard, StreamCardSkeleton } from '../ui/stream-card.tsx';
import './home.css';

const skeletonCards = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'];

function Categories({ list }: { list: LiveList }) {
  const chosen = list.category.value;
  return (
    <fieldset class="chips">
      <legend class="sr-only">Category</legend>
      <button
        type="button"
        class="chip"
        aria-pressed={chosen === null}
        onClick={() => list.choose(null)}
        data-testid="category-all"
      >
        Everything
      </button>
      {categories.map((category) => (
        <button
          key={category}
          type="button"
          class="chip"
          aria-pressed={chosen === category}
          onClick={() => list.choose(category)}
          data-testid={`category-${category}`}
        >
          {categoryFaces[category].label}
        </button>
      ))}
    </fieldset>
  );
}

function Nobody({ list }: { list: LiveList }) {
  const chosen = list.category.value;
  const where = chosen ? ` in ${categoryFaces[chosen].label}` : '';
  return (
    <Empty
      art={<Mark size={64} />}
      title={`Nobody is live${where} right now`}
      action={
        <>
          <ButtonLink look="primary" href="/studio" data-testid="empty-go-live">
            Be the first
          </ButtonLink>
          {chosen && <Button onClick={() => list.choose(null)}>Show everything</Button>}
        </>
      }
    >
      <p>This page watches for you. Whoever goes live shows up here.</p>
    </Empty>
  );
}

type GridProps = { list: LiveList; onAboutToWatch: () => void };

function Grid({ list, onAboutToWatch }: GridProps) {
  const streams = list.items.value;
  if (!list.ready.value && list.fault.value) {
    return <Fault text={list.fault.value} onRetry={() => list.reload()} />;
  }
  if (!list.ready.value) {
    return (
      <div class="stream-grid">
        <Loading what="live streams" />
        {skeletonCards.map((key) => (
          <StreamCardSkeleton key={key} />
        ))}
      </div>
    );
  }
  if (streams.length === 0) return <Nobody list={list} />;
  return (
    <>
      <div class="stream-grid" data-testid="stream-grid">
        {streams.map((stream) => (
          <StreamCard
            key={stream.id}
            stream={stream}
            nowMs={list.refreshedAtMs.value}
            onAboutToWatch={onAboutToWatch}
          />
        ))}
      </div>
      {list.hasMore.value && (
        <div class="more">
          <Button busy={list.loading.value} onClick={list.more}>
            Show more
          </Button>
        </div>
      )}
    </>
  );
}

export function HomePage({ onAboutToWatch }: { onAboutToWatch: () => void }) {
  const { api, clock, session, isLookedAt, onWake } = useApp();
  const list = useLife(() => createLiveList({ api, clock, isLookedAt }), 'home');
  const guest = !session.restoring.value && session.user.value === null;
  useTitle('LivePanty');
  useEffect(() => onWake(() => void list.refresh()), [list, onWake]);
  const count = list.items.value.length;
  return (
    <main class="page page-home" id="main" tabIndex={-1} data-testid="page-home">
      {guest ? <Hero /> : <h1 class="sr-only">Home</h1>}
      <section aria-labelledby="live-title">
        <div class="home-head">
          <h2 id="live-title">Live now</h2>
          <p class="faint figure" role="status">
            {list.ready.value && count > 0 && `${count}${list.hasMore.value ? '+' : ''} on air`}
          </p>
        </div>
        <Categories list={list} />
        <Grid list={list} onAboutToWatch={onAboutToWatch} />
      </section>
    </main>
  );
}
