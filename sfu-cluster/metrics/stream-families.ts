// Stream families: what Prometheus is told of single streams, as many of them as it is told of at all.
import type { SfuRoomStats } from '#contract';
import { counter, type Family, gauge, type Labels } from './exposition.ts';

/**
 * Series of the most watched `streamsMax` streams. The others have none, and are counted: in sums of the node they are
 * all in. Whoever comes back among them goes on where it was; the series of a stream that has ended are gone at once.
 */
export function streamFamilies(all: readonly SfuRoomStats[], streamsMax: number): Family[] {
  const shown = [...all].sort((a, b) => b.viewers - a.viewers).slice(0, streamsMax);
  const each = (value: (room: SfuRoomStats) => number): [Labels, number][] =>
    shown.map((room) => [{ stream: room.streamId }, value(room)]);
  return [
    gauge(
      'livepanty_sfu_streams_unlabelled',
      'Streams without series of their own, for there are too many.',
      all.length - shown.length,
    ),
    gauge(
      'livepanty_sfu_stream_viewers',
      'People in the room on this node.',
      each(({ viewers }) => viewers),
    ),
    gauge(
      'livepanty_sfu_stream_guests',
      'Who publishes beside the host, in the room on this node.',
      each(({ guests }) => guests),
    ),
    gauge(
      'livepanty_sfu_stream_publishing',
      'Whether its publisher is on this node.',
      each(({ publishing }) => Number(publishing)),
    ),
    gauge(
      'livepanty_sfu_stream_pipes',
      'Pipes from and to other nodes.',
      shown.flatMap(({ streamId: stream, pipesIn, pipesOut }): [Labels, number][] => [
        [{ stream, direction: 'in' }, pipesIn],
        [{ stream, direction: 'out' }, pipesOut],
      ]),
    ),
    gauge(
      'livepanty_sfu_stream_bitrate_bps',
      'Bits per second from its publisher or another node, and to everybody.',
      shown.flatMap(({ streamId: stream, bitrateInBps, bitrateOutBps }): [Labels, number][] => [
        [{ stream, direction: 'in' }, bitrateInBps],
        [{ stream, direction: 'out' }, bitrateOutBps],
      ]),
    ),
    gauge(
      'livepanty_sfu_stream_score',
      "mediasoup's score of each track's best layer, 0 to 10.",
      shown.flatMap(({ streamId: stream, scores }) =>
        Object.entries(scores).map(([source, score]): [Labels, number] => [
          { stream, source },
          score,
        ]),
      ),
    ),
    ...streamCounters(each),
  ];
}

function streamCounters(
  each: (value: (room: SfuRoomStats) => number) => [Labels, number][],
): Family[] {
  return [
    counter(
      'livepanty_sfu_stream_received_bytes_total',
      'Bytes of media that came in, sampled.',
      each(({ bytesIn }) => bytesIn),
    ),
    counter(
      'livepanty_sfu_stream_sent_bytes_total',
      'Bytes of media that went out, sampled.',
      each(({ bytesOut }) => bytesOut),
    ),
    counter(
      'livepanty_sfu_stream_keyframes_wanted_total',
      'Keyframes that viewers, taps and nodes wanted.',
      each(({ keyframesWanted }) => keyframesWanted),
    ),
    counter(
      'livepanty_sfu_stream_keyframes_bundled_total',
      'Those that the governor fulfilled together with another one.',
      each(({ keyframesBundled }) => keyframesBundled),
    ),
    counter(
      'livepanty_sfu_stream_keyframe_requests_total',
      'PLI and FIR that were sent to the publisher, by layer.',
      each(({ keyframeRequests }) => keyframeRequests),
    ),
    counter(
      'livepanty_sfu_stream_keyframes_received_total',
      'Keyframes that came, by layer.',
      each(({ keyframesReceived }) => keyframesReceived),
    ),
    counter(
      'livepanty_sfu_stream_watched_seconds_total',
      'Time that its viewers report to have watched.',
      each(({ watchedMs }) => watchedMs / 1000),
    ),
    counter(
      'livepanty_sfu_stream_frozen_seconds_total',
      'Part of it for which the picture stood still.',
      each(({ frozenMs }) => frozenMs / 1000),
    ),
  ];
}
