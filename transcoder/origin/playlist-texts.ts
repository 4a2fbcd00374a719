// Playlist texts: each version of a playlist is rendered once, however many players read it.
import { gzipSync } from 'node:zlib';
import type { MediaPlaylist } from '../hls/media-playlist.ts';
import { type RenditionReport, renderMediaPlaylist } from '../hls/render-media-playlist.ts';

/** Fast rather than small: a playlist is compressed five times a second. */
const gzipLevel = 3;

export interface PlaylistTexts {
  /** The text in its current version, whole or as a delta update. */
  get(playlist: MediaPlaylist, form: { skip: boolean; gzip: boolean }): Buffer;
}

interface Rendered {
  version: number;
  texts: Map<string, Buffer>;
}

/** `siblings` are the other playlists of the stream, for the rendition reports. */
export function createPlaylistTexts(siblings: () => readonly MediaPlaylist[]): PlaylistTexts {
  const rendered = new WeakMap<MediaPlaylist, Rendered>();

  function reports(playlist: MediaPlaylist): RenditionReport[] {
    return siblings().flatMap((sibling) => {
      const edge = sibling === playlist ? null : sibling.edge();
      return edge ? [{ uri: `${sibling.name}.m3u8`, ...edge }] : [];
    });
  }

  return {
    get(playlist, { skip, gzip }) {
      let entry = rendered.get(playlist);
      if (entry?.version !== playlist.version) {
        entry = { version: playlist.version, texts: new Map() };
        rendered.set(playlist, entry);
      }
      const plainKey = skip ? 'delta' : 'whole';
      const key = gzip ? `${plainKey} gzip` : plainKey;
      const known = entry.texts.get(key);
      if (known) return known;
      const plain =
        entry.texts.get(plainKey) ??
        Buffer.from(renderMediaPlaylist(playlist.view(), { skip, reports: reports(playlist) }));
      entry.texts.set(plainKey, plain);
      if (!gzip) return plain;
      const packed = gzipSync(plain, { level: gzipLevel });
      entry.texts.set(key, packed);
      return packed;
    },
  };
}
