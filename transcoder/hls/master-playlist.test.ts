// Tests of the master playlist, to the letter.
import { expect, test } from 'vitest';
import { renderMasterPlaylist } from './master-playlist.ts';

const video = {
  uri: 'video0.m3u8?ticket=t',
  codec: 'avc1.42e01f',
  width: 1_280,
  height: 720,
  frameRate: 29.97,
  peakBitsPerSecond: 2_500_000.4,
  averageBitsPerSecond: 2_000_000,
};
const audio = {
  uri: 'audio.m3u8?ticket=t',
  codec: 'mp4a.40.2',
  channels: 2,
  peakBitsPerSecond: 130_000,
  averageBitsPerSecond: 128_000,
};

test('renditions are listed best first, with sound beside them', () => {
  const small = { ...video, uri: 'video1.m3u8?ticket=t', width: 640, height: 360, frameRate: null };
  expect(renderMasterPlaylist([video, small], audio)).toBe(`#EXTM3U
#EXT-X-VERSION:9
#EXT-X-INDEPENDENT-SEGMENTS
#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="audio",NAME="main",DEFAULT=YES,AUTOSELECT=YES,CHANNELS="2",URI="audio.m3u8?ticket=t"
#EXT-X-STREAM-INF:BANDWIDTH=2630001,AVERAGE-BANDWIDTH=2128000,CODECS="avc1.42e01f,mp4a.40.2",RESOLUTION=1280x720,FRAME-RATE=29.970,AUDIO="audio"
video0.m3u8?ticket=t
#EXT-X-STREAM-INF:BANDWIDTH=2630001,AVERAGE-BANDWIDTH=2128000,CODECS="avc1.42e01f,mp4a.40.2",RESOLUTION=640x360,AUDIO="audio"
video1.m3u8?ticket=t
`);
});

test('pictures alone and sound alone are streams too', () => {
  expect(renderMasterPlaylist([video], null)).toContain('CODECS="avc1.42e01f",RESOLUTION=1280x720');
  expect(renderMasterPlaylist([], audio)).toBe(`#EXTM3U
#EXT-X-VERSION:9
#EXT-X-INDEPENDENT-SEGMENTS
#EXT-X-STREAM-INF:BANDWIDTH=130000,AVERAGE-BANDWIDTH=128000,CODECS="mp4a.40.2"
audio.m3u8?ticket=t
`);
});
