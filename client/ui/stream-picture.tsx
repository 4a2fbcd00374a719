// The picture of a stream: its newest thumbnail, or a drawing of its category until there is one.

import { useState } from 'preact/hooks';
import type { Stream } from '#contract';
import { categoryFaces } from './category.ts';
import { Drawing } from './icons.tsx';
import './stream-picture.css';

type StreamPictureProps = { stream: Pick<Stream, 'category' | 'thumbnailUrl'> };

export function StreamPicture({ stream }: StreamPictureProps) {
  const [broken, setBroken] = useState(false);
  const { hue, glyph } = categoryFaces[stream.category];
  return (
    <span class="stream-picture" style={{ '--hue': String(hue) }}>
      <Drawing class="stream-picture-glyph" lineWidth={1.4}>
        <path d={glyph} />
      </Drawing>
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
