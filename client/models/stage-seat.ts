// The stage seat: an invitation to the stage of a stream that somebody watches, and what comes of it.
import { computed, type ReadonlySignal, signal } from '@preact/signals';
import type { StageGuestState } from '#contract';
import { hasCode, messageOf } from './api-error.ts';
import type { CaptureDesk } from './capture-desk.ts';
import type { Cancel, Clock } from './clock.ts';
import type { Room } from './room.ts';
import { publisherOverlapMs, RoomLink, type RoomLinkDeps } from './room-link.ts';
import { createSendingState, Sending, type SendingDeps } from './sending.ts';
import type { StageApi } from './stage-api.ts';
import type { Toasts } from './toasts.ts';

type SeatDesk = SendingDeps['desk'] & Pick<CaptureDesk, 'open' | 'close'>;

export type StageSeatDeps<Desk extends SeatDesk = CaptureDesk> = {
  room: Pick<Room, 'streamId' | 'stageNews'> & { link: Pick<RoomLink, 'granted'> };
  /** Null for a guest without an account, whom nobody can invite. */
  self: { id: string } | null;
  api: Pick<StageApi, 'list' | 'answer'>;
  grant: RoomLinkDeps['grant'];
  join: RoomLinkDeps['join'];
  /** Fetched when it is needed: most people are never invited. */
  openDesk: () => Promise<Desk>;
  openPublisher: SendingDeps['openPublisher'];
  clock: Clock;
  toasts: Pick<Toasts, 'show'>;
};

/** `ready`: the camera is on, and nobody sees it yet. */
export type SeatState = 'none' | 'invited' | 'away' | 'ready' | 'on-stage';

export type StageSeat = ReturnType<typeof createStageSeat<CaptureDesk>>;

export function createStageSeat<Desk extends SeatDesk>(deps: StageSeatDeps<Desk>) {
  const { room, api, clock, toasts } = deps;
  const { streamId } = room;
  const standing = signal<StageGuestState | null>(null);
  const desk = signal<Desk | null>(null);
  const link = signal<RoomLink | null>(null);
  const busy = signal(false);
  const sent = createSendingState();
  let sending: Sending | null = null;
  let cancelRefusal: Cancel = () => {};
  /** The stage has changed while something was being done, whose outcome is newer. */
  let hasMissed = false;
  let closed = false;

  const state: ReadonlySignal<SeatState> = computed(() => {
    if (standing.value === null) return 'none';
    if (link.value) return 'on-stage';
    if (desk.value) return 'ready';
    return standing.value === 'invited' ? 'invited' : 'away';
  });

  /** Camera off, nobody sees or hears anything any more. */
  function stepDown(): void {
    cancelRefusal();
    sending?.close();
    sending = null;
    link.peek()?.close();
    link.value = null;
    desk.peek()?.close();
    desk.value = null;
  }

  function setStanding(now: StageGuestState | null): void {
    const wasThere = link.peek() !== null;
    standing.value = now;
    if (now !== null) return;
    stepDown();
    if (wasThere) toasts.show('You are off the stage now.');
  }

  async function look(): Promise<void> {
    if (!deps.self) return;
    hasMissed = busy.peek();
    if (hasMissed) return;
    try {
      const { guests } = await api.list(streamId);
      const own = guests.find(({ user }) => user.id === deps.self?.id);
      if (busy.peek()) hasMissed = true;
      else if (!closed) setStanding(own?.state ?? null);
    } catch {
      // The next ticket or the next news tells it again.
    }
  }

  async function act(work: () => Promise<void>): Promise<void> {
    if (busy.peek()) return;
    busy.value = true;
    try {
      await work();
    } catch (error) {
      if (hasCode(error, 'not-found', 'stream-ended')) setStanding(null);
      toasts.show(messageOf(error), 'bad');
    } finally {
      busy.value = false;
      if (hasMissed) look();
    }
  }

  const cancels: Cancel[] = [
    room.link.granted.subscribe((granted) => {
      if (granted && !busy.peek()) setStanding(granted.stage);
    }),
    room.stageNews.subscribe((news) => {
      if (news > 0) look();
    }),
  ];

  return {
    state,
    desk: desk as ReadonlySignal<Desk | null>,
    busy: busy as ReadonlySignal<boolean>,
    link: link as ReadonlySignal<RoomLink | null>,
    health: sent.health,
    path: sent.path,
    held: sent.held,
    fault: sent.fault,

    /** Opens the camera for oneself alone. */
    prepare: () =>
      act(async () => {
        const opened = await deps.openDesk();
        if (closed || standing.peek() === null) return opened.close();
        desk.value = opened;
        await opened.open();
      }),

    /** From now on everybody sees and hears it. */
    join: () =>
      act(async () => {
        const opened = desk.peek();
        if (!opened || link.peek()) return;
        await api.answer(streamId, true);
        standing.value = 'joined';
        // Whoever has thought better of it meanwhile is a guest with the camera off.
        if (closed || desk.peek() !== opened) return;
        const made = RoomLink.create({
          grant: deps.grant,
          join: deps.join,
          clock,
          moveOverlapMs: publisherOverlapMs,
        });
        link.value = made;
        sending = Sending.begin(made, sent, { ...deps, desk: opened });
        cancelRefusal = made.refusal.subscribe((refusal) => {
          if (refusal) setStanding(null);
        });
      }),

    /** Puts the camera away again; the invitation stays. */
    stepBack: stepDown,

    /** Does not come, or goes. */
    leave: () =>
      act(async () => {
        stepDown();
        await api.answer(streamId, false);
        standing.value = null;
      }),

    close(): void {
      closed = true;
      for (const cancel of cancels) cancel();
      stepDown();
    },
  };
}
