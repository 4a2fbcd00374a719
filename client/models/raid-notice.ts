// The raid notice of a viewer: where the performer leads them, and how long until they go there.
import { signal } from '@preact/signals';
import type { RaidLeftEvent } from '#contract';
import { type Cancel, type Clock, repeat } from './clock.ts';
import type { Feed } from './feed.ts';

/** How long a viewer may think it over. */
export const raidCountdownMs = 10_000;
/** Viewers leave one after another over so long: the other stream does not get all of them in one moment. */
export const raidSpreadMs = 5_000;
const tickMs = 250;

export type RaidGoal = RaidLeftEvent['data'];

export type RaidNoticeDeps = {
  feed: Pick<Feed, 'onEvent'>;
  self: { id: string } | null;
  clock: Clock;
  go: (streamId: string) => void;
  random?: () => number;
};

export function createRaidNotice({ feed, self, clock, go, random = Math.random }: RaidNoticeDeps) {
  /** Where the audience was led, also long ago; null for nowhere. */
  const goal = signal<RaidGoal | null>(null);
  /** Seconds until the viewer goes there; null while they stay. */
  const secondsLeft = signal<number | null>(null);
  let stop: Cancel = () => {};

  function stay(): void {
    stop();
    secondsLeft.value = null;
  }

  function leave(): void {
    const to = goal.peek();
    stay();
    if (to) go(to.toStreamId);
  }

  function begin(): void {
    stop();
    const leavesAtMs = clock.now() + raidCountdownMs + random() * raidSpreadMs;
    const tell = (): void => {
      secondsLeft.value = Math.max(0, Math.ceil((leavesAtMs - clock.now()) / 1_000));
    };
    const cancelTicks = repeat(clock, tickMs, tell);
    const cancelLeaving = clock.after(leavesAtMs - clock.now(), leave);
    stop = () => {
      cancelTicks();
      cancelLeaving();
    };
    tell();
  }

  const stopHearing = feed.onEvent((event, origin) => {
    if (event.type !== 'raid.left') return;
    goal.value = event.data;
    // Whoever is raided stays where they are heard of, and what is long past moves nobody.
    if (origin === 'live' && event.data.performer.id !== self?.id) begin();
  });

  return {
    goal,
    secondsLeft,
    /** Goes there at once. */
    leave,
    stay,
    close(): void {
      stop();
      stopHearing();
    },
  };
}
export type RaidNotice = ReturnType<typeof createRaidNotice>;
