// The picture of a stream: its newest thumbnail, or a drawing of its category until there is one.

import { useState } from 'preact/hooks';
import type { Stream } from '#contract';
import { categoryFaces } from './category.ts';
import './stream-picture.css';

type StreamPictureProps = { stream: Pick<Stream, 'category' | 'thumbnailUrl'> };

export function StreamPicture({ stream }: StreamPictureProps) {
  const [broken, setBroken] = useState(false);
  const { hue, glyph } = categoryFaces[stream.category];
  return (
    <span class="stream-picture" style={{ '--hue': String(hue) }}>
      <svg
        class="stream-picture-glyph"
        aria-hidden="true"
        viewBox="0 0 24 24"
        fill="none"
        stroke="currentColor"
        stroke-width="1.4"
        stroke-linecap="round"
        stroke-linejoin="round"
      >
        <path d={glyph} />
      </svg>
      {stream.thumbnailUrl && (
        <img
          class={broken ? 'broken' : undefined}
          src={stream.thumbnailUrl}
          alt=""
          decoding="async"
          onLoad={() => setBroken(false)}
          onError={() => setBroken(true)}
        />
      )}
    </span>
  );
}
