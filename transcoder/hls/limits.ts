// Timing of the playlists: how long parts and segments are, and how much of the past is kept.

/** No part is longer. 220 ms hold whole pictures of 200 ms at all usual rates (15 to 60 a second), and ten AAC frames. */
export const partTargetMs = 220;
/** Parts within a segment reach at least this share of the target (RFC 8216bis, 4.4.4.9). */
export const partFillRatioMin = 0.85;
/** By how much a sample may be shown too early, where parts of uneven samples would break the rules otherwise. */
export const earlyMsMax = 40;
/** How often a new segment should begin. */
export const segmentTargetMs = 1_000;
/**
 * The pace at which a publisher is asked for keyframes. A little less than five parts: a keyframe that comes a
 * little late then makes the last part longer, where it would otherwise make a sixth one of a single picture.
 */
export const keyframeAskMs = 970;
/** A keyframe that comes sooner after the last cut does not open a new segment. */
export const segmentMsMin = 700;
/** A segment is cut here even without a keyframe, so that it still rounds to the target duration. */
export const segmentMsMax = 2_400;
/** EXT-X-TARGETDURATION; it never changes. */
export const targetDurationSeconds = 2;
/** How far behind the newest part players should stay: three parts, the least that the specification allows. */
export const partHoldBackSeconds = (3 * partTargetMs) / 1_000;
export const holdBackSeconds = 3 * targetDurationSeconds;
/** Delta updates leave out what is older: six target durations, the least that the specification allows. */
export const canSkipUntilSeconds = 6 * targetDurationSeconds;
/** Parts stay listed so long: three target durations, as the specification demands, and a little for rounding. */
export const partsListedSeconds = 3 * targetDurationSeconds + 0.01;
export const segmentsListedMax = 20;
/** Segments that left the playlist stay for players that are still fetching them. */
export const segmentsKeptMax = 6;
/** The shortest that a running playlist may become (RFC 8216bis, 6.2.2), and a little for rounding. */
export const listedSecondsMin = 3 * targetDurationSeconds + 0.001;
/** What one playlist keeps in memory; of media with a bit rate beyond all reason only the newest is kept. */
export const playlistBytesMax = 32 * 1024 * 1024;
/** After so many segments their addresses get a new name: who has the old one cannot follow the stream any longer. */
export const segmentsPerPathMax = 20;
/**
 * When somebody's ticket is ended the names are renewed at once, and the addresses under the old ones are good for so
 * long. Players need them for a little more than seven seconds: the shortest playlist, and the segment being written.
 */
export const renewedPathMsMax = 7_500;
/** A blocked request is given up after three target durations (RFC 8216bis, 6.2.5.2). */
export const blockedRequestMsMax = 3 * targetDurationSeconds * 1_000;
