// A playback: the sound and the picture of a room as a player gets them by WHEP.
import type { Consumer, WebRtcTransport } from 'mediasoup/types';
import type { MediaKind } from '#contract';
import { notLiveRetryAfterSeconds } from '#contract';
import { mediaCall } from '../media/faults.ts';
import type { RoomMedia, Track } from '../media/room-media.ts';
import type { Seat } from '../seat.ts';
import type { AnswerSection } from './answer.ts';
import type { Offer, Section } from './description.ts';
import { createLayerFollower } from './layer-follower.ts';
import { termsToPlay } from './play-terms.ts';
import { type Connection, connect } from './publication.ts';
import { rejection } from './rejection.ts';

/** Media that another node must bring first is awaited for so long, */
export const tracksAwaitedMs = 3_000;
/** and after the first track the other one for so long: some streams have no sound, or no picture. */
const otherTrackAwaitedMs = 300;
const scoreReadEveryMs = 1_000;
/** What the worker's scores are at best. */
const scoreMax = 10;

/**
 * Plays what the room shows now. An answer cannot be changed later: when something else is shown, or nothing any
 * more, the player's connection ends, and it comes back for a new one. Whoever sits there should leave when this throws.
 */
export async function play(seat: Seat, offer: Offer): Promise<Connection> {
  const { sections, capabilities, dialect } = termsToPlay(offer);
  const media = await mediaCall(null, () => seat.room.media());
  const { peer } = seat;
  const leavePlace = peer.takeLivePlace();
  const transport = await mediaCall(null, () =>
    media.openViewerTransport({ dialect, subject: peer.subject, liveness: 'packets' }),
  ).catch((error: unknown) => {
    leavePlace();
    throw error;
  });
  transport.observer.once('close', leavePlace);
  if (transport.closed) leavePlace();
  seat.link.once('close', () => transport.close());
  if (seat.link.closed) transport.close();
  const kinds = sections.map(({ kind }) => kind);
  const tracks = await awaitTracks(media, transport, kinds);
  await connect(transport, offer);
  const taken = new Map<string, AnswerSection>();
  for (const section of sections) {
    const track = tracks.get(section.kind);
    if (!track) continue;
    const consumer = await mediaCall('unsupported-media', () =>
      media.viewing.consume(transport, track, capabilities),
    );
    if (!consumer) {
      const codec = track.producer.rtpParameters.codecs[0]?.mimeType ?? 'another codec';
      throw rejection('offer-refused', `this stream is sent as ${codec}, which was not offered`);
    }
    taken.set(section.mid, answerOf(section, consumer));
    await mediaCall(null, () => media.viewing.resume(transport, consumer));
    followLayers(media, consumer);
  }
  endWhenChanged(seat, media, transport, tracks, kinds);
  return { transport, taken };
}

const shown = (media: RoomMedia, kind: MediaKind): Track | null =>
  kind === 'audio' ? media.sound : media.picture;

/** What the room shows of these kinds, at least one. Rejects `stream-not-live`. */
async function awaitTracks(
  media: RoomMedia,
  transport: WebRtcTransport,
  kinds: readonly MediaKind[],
): Promise<Map<MediaKind, Track>> {
  const found = () =>
    new Map(
      kinds.flatMap((kind) => {
        const track = shown(media, kind);
        return track ? [[kind, track] as const] : [];
      }),
    );
  await new Promise<void>((resolve) => {
    const timers = [setTimeout(done, tracksAwaitedMs)];
    function done(): void {
      for (const timer of timers) clearTimeout(timer);
      media.off('change', look);
      transport.observer.off('close', done);
      resolve();
    }
    function look(): void {
      const { size } = found();
      // Of a room that is published here nothing more is on its way.
      if (size === kinds.length || (size > 0 && media.isPublishedHere)) done();
      else if (size > 0) timers.push(setTimeout(done, otherTrackAwaitedMs));
    }
    media.on('change', look);
    transport.observer.once('close', done);
    if (transport.closed) done();
    else look();
  });
  const tracks = found();
  if (tracks.size > 0) return tracks;
  throw rejection('stream-not-live', 'nothing is shown here at the moment', {
    'retry-after': String(notLiveRetryAfterSeconds),
  });
}

function answerOf(section: Section, consumer: Consumer): AnswerSection {
  const { codecs, headerExtensions = [], encodings = [], rtcp } = consumer.rtpParameters;
  const ssrc = encodings[0]?.ssrc;
  return {
    section,
    direction: 'sendonly',
    codecs: codecs.slice(0, 1),
    extensions: headerExtensions.map(({ uri, id }) => ({ uri, value: id })),
    layers: [],
    ssrc: ssrc === undefined ? null : { id: ssrc, cname: rtcp?.cname ?? 'livepanty' },
  };
}

/**
 * Players number header extensions in their own way, too, and the worker cannot: where theirs do not happen to be
 * ours, the line is not measured, and what is lost on it must say which layer fits.
 */
function followLayers(media: RoomMedia, consumer: Consumer): void {
  const layers = consumer.rtpParameters.encodings?.[0]?.scalabilityMode?.match(/^L(\d)/)?.[1];
  const isMeasured = (consumer.rtpParameters.codecs[0]?.rtcpFeedback ?? []).some(
    ({ type }) => type === 'transport-cc' || type === 'goog-remb',
  );
  if (consumer.type !== 'simulcast' || isMeasured) return;
  const follower = createLayerFollower(Number(layers ?? 1));
  const timer = setInterval(() => {
    const { score, producerScore } = consumer.score;
    // What the publisher's own line loses is lost in every layer.
    const layer = follower.hear(Math.min(scoreMax, score + scoreMax - producerScore));
    if (layer === null || consumer.closed) return;
    // It fails only if the consumer closes at this moment.
    media.viewing
      .prefer(consumer, { spatialLayer: layer, temporalLayer: 3 })
      .catch(() => undefined);
  }, scoreReadEveryMs);
  consumer.observer.once('close', () => clearInterval(timer));
}

function endWhenChanged(
  seat: Seat,
  media: RoomMedia,
  transport: WebRtcTransport,
  playing: ReadonlyMap<MediaKind, Track>,
  kinds: readonly MediaKind[],
): void {
  const look = () => {
    const now = kinds.map((kind) => [playing.get(kind), shown(media, kind)] as const);
    const isOther = now.some(([before, track]) => track !== null && track !== before);
    const isOver = now.every(([, track]) => track === null);
    if (isOther || isOver) seat.peer.dismiss('unavailable', 'something else is shown from now on');
  };
  media.on('change', look);
  transport.observer.once('close', () => media.off('change', look));
  look();
}
