// The raid desk of the studio: whom to lead one's audience to, found by what is watched or by words.
import { computed, signal } from '@preact/signals';
import type { Stream } from '#contract';
import type { Api } from './api.ts';
import { messageOf } from './api-error.ts';
import type { Clock } from './clock.ts';
import { createLoaded } from './load.ts';
import { createSearch } from './search.ts';

export type RaidDeskDeps = {
  api: { streams: Pick<Api['streams'], 'listLive' | 'raid'>; search: Api['search'] };
  clock: Clock;
};

export function createRaidDesk({ api, clock }: RaidDeskDeps) {
  const streamId = signal<string | null>(null);
  const performerId = signal<string | null>(null);
  const chosen = signal<Stream | null>(null);
  const led = signal<Stream | null>(null);
  const fault = signal<string | null>(null);
  const busy = signal(false);
  const watched = createLoaded(() => api.streams.listLive({ sort: 'viewers' }));
  const search = createSearch({ api, clock, text: '', onLook: () => {} });

  return {
    isOpen: computed(() => streamId.value !== null),
    search,
    chosen,
    /** Where the audience has been led to. */
    led,
    fault,
    busy,
    loading: computed(() => watched.loading.value || search.found.loading.value),
    listFault: computed(() => watched.fault.value ?? search.found.fault.value),
    /** Live streams of others: those that are found, or those that are watched most. */
    streams: computed<readonly Stream[]>(() => {
      const found =
        search.looked.value === '' ? watched.value.value?.streams : search.found.value.value?.live;
      return (found ?? []).filter(({ performer }) => performer.id !== performerId.value);
    }),
    open(stream: Stream): void {
      streamId.value = stream.id;
      performerId.value = stream.performer.id;
      chosen.value = null;
      fault.value = null;
      watched.load();
    },
    dismiss(): void {
      streamId.value = null;
    },
    async send(): Promise<void> {
      const [from, to] = [streamId.peek(), chosen.peek()];
      if (!from || !to || busy.peek()) return;
      busy.value = true;
      fault.value = null;
      try {
        await api.streams.raid(from, to.id);
        led.value = to;
        streamId.value = null;
      } catch (error) {
        fault.value = messageOf(error);
      } finally {
        busy.value = false;
      }
    },
    close: () => search.close(),
  };
}
export type RaidDesk = ReturnType<typeof createRaidDesk>;
