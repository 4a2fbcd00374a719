// A QR code, drawn as one path; always dark on white, because scanners want it so.
import { useEffect, useState } from 'preact/hooks';
import { qrPathOf } from '../models/qr-path.ts';
import { Skeleton } from './skeleton.tsx';
import './qr-code.css';

/** The empty rim that scanners need, in modules. */
const rim = 4;

type Drawn = { path: string; size: number };

/** What draws codes is fetched when the first one is shown. */
function useDrawn(text: string): Drawn | 'failed' | null {
  const [drawn, setDrawn] = useState<Drawn | 'failed' | null>(null);
  useEffect(() => {
    let isWanted = true;
    setDrawn(null);
    import('uqr')
      .then(({ encode }) => {
        const { data, size } = encode(text, { ecc: 'M', border: 0 });
        if (isWanted) setDrawn({ path: qrPathOf(data), size });
      })
      .catch(() => {
        if (isWanted) setDrawn('failed');
      });
    return () => {
      isWanted = false;
    };
  }, [text]);
  return drawn;
}

type QrCodeProps = { text: string; label: string };

export function QrCode({ text, label }: QrCodeProps) {
  const drawn = useDrawn(text);
  if (drawn === 'failed') {
    return <p class="qr-code qr-failed">The code could not be drawn. Copy the link instead.</p>;
  }
  if (drawn === null) {
    return (
      <div class="qr-code">
        <Skeleton height="100%" />
      </div>
    );
  }
  const side = drawn.size + 2 * rim;
  return (
    <svg
      class="qr-code"
      role="img"
      aria-label={label}
      viewBox={`${-rim} ${-rim} ${side} ${side}`}
      shape-rendering="crispEdges"
      data-testid="qr-code"
    >
      <path d={drawn.path} fill="#120b16" />
    </svg>
  );
}
