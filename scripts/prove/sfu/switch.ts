// The kill switch: a stream that is ended, a performer or a viewer who is banned, media that is held. What counts is
// the time from the edge's answer to the last packet of each viewer, who takes whatever comes.
import { setTimeout as delay } from 'node:timers/promises';
import { monotonicMs, type Receivers } from '../../../testing/receivers/receivers.ts';
import { publish, type Viewer, watch } from './audience.ts';
import { quantile } from './gaps.ts';
import type { People, Performer } from './people.ts';
import { places } from './product.ts';
import { untilSteady } from './recovery.ts';
import type { Report } from './report.ts';

const p99MsMax = 2_000;
/** For so long it is looked whether more comes: much longer than any packet may be under way. */
const watchedMs = 3_500;
/** Scenes that are played side by side. */
const scenesAtOnce = 10;
/** Of each country, and so on each node. */
const viewersPerPlace = 2;

const ban = { reason: 'The proof of the kill switch' };
/** What is done, and for whom of the viewers and for which track packets must end. */
const acts = {
  'end of the stream': {
    act: (_: People, host: Performer) => host.call('POST', `/streams/${host.streamId}/end`),
    ends: 'everybody',
    track: 'video',
  },
  'ban of the performer': {
    act: ({ staff }: People, host: Performer) =>
      staff.call('POST', `/admin/users/${host.id}/ban`, ban),
    ends: 'everybody',
    track: 'video',
  },
  'ban of a viewer by staff': {
    act: ({ staff }: People, _: Performer, viewer: Viewer) =>
      staff.call('POST', `/admin/users/${viewer.person.id}/ban`, ban),
    ends: 'the last one',
    track: 'video',
  },
  'ban of a viewer by the performer': {
    act: (_: People, host: Performer, viewer: Viewer) =>
      host.call('PUT', `/streams/${host.streamId}/bans/${viewer.person.id}`, {
        kind: 'banned',
        minutes: null,
      }),
    ends: 'the last one',
    track: 'video',
  },
  'picture on hold': {
    act: ({ staff }: People, host: Performer) =>
      staff.call('PUT', `/admin/streams/${host.streamId}/holds/${host.id}`, {
        sound: false,
        picture: true,
      }),
    ends: 'everybody',
    track: 'video',
  },
  'sound on hold': {
    act: ({ staff }: People, host: Performer) =>
      staff.call('PUT', `/admin/streams/${host.streamId}/holds/${host.id}`, {
        sound: true,
        picture: false,
      }),
    ends: 'everybody',
    track: 'audio',
  },
} as const;
type ActName = keyof typeof acts;
const actNames = Object.keys(acts) as ActName[];

/** People that one repetition of every act takes. */
export const switchPeople = {
  performers: actNames.length,
  viewers: actNames.length * viewersPerPlace * places.length,
};

export async function proveSwitch(
  { people, receivers, report }: { people: People; receivers: Receivers; report: Report },
  repetitions: number,
): Promise<void> {
  for (const name of actNames) {
    const times: number[] = [];
    const waiting = Array.from({ length: repetitions }, (_, index) => index).values();
    const play = async () => {
      for (const _ of waiting) times.push(...(await playScene(name, people, receivers)));
    };
    await Promise.all(Array.from({ length: scenesAtOnce }, play));
    const of = (share: number) => Math.round(quantile(times, share));
    const figures = { viewers: times.length, p50Ms: of(0.5), p99Ms: of(0.99), maxMs: of(1) };
    report.note(name, { repetitions, ...figures });
    report.hold(`${name}: p99 from the answer to the last packet in ms`, figures.p99Ms, p99MsMax);
  }
}

/** Answers for each viewer whom it concerns how long after the answer the last packet came: 0 for before. */
async function playScene(name: ActName, people: People, receivers: Receivers): Promise<number[]> {
  const { act, ends, track } = acts[name];
  const host = people.nextPerformer(places[0].country);
  const publisher = publish(host, receivers);
  const viewers = places.flatMap(({ country }) =>
    Array.from({ length: viewersPerPlace }, () =>
      watch(people.nextViewer(country), host.streamId, receivers, { keeps: true }),
    ),
  );
  await untilSteady(viewers);
  const nodes = new Set(viewers.map(({ nodeId }) => nodeId));
  if (nodes.size < places.length) throw new Error(`all viewers are on ${[...nodes].join()}`);
  const last = viewers.at(-1);
  if (!last) throw new Error('somebody watches');
  await act(people, host, last);
  const answeredAtMs = monotonicMs();
  await delay(watchedMs);
  const concerned = ends === 'everybody' ? viewers : [last];
  const times: number[] = [];
  for (const viewer of concerned) {
    const spells = await viewer.spells(track);
    const lastAtMs = Math.max(...spells.map(({ toMs }) => toMs));
    times.push(Math.max(0, lastAtMs - answeredAtMs));
  }
  for (const viewer of viewers) viewer.close();
  publisher.close();
  return times;
}
