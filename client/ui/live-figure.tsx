// A live figure: a number that may change while it is looked at, and turns over when it does.
import { useRef } from 'preact/hooks';
import './live-figure.css';

type LiveFigureProps = { value: number; format: (value: number) => string };

export function LiveFigure({ value, format }: LiveFigureProps) {
  const before = useRef(value);
  const turn = useRef('');
  if (before.current !== value) {
    turn.current = value > before.current ? 'up' : 'down';
    before.current = value;
  }
  return (
    <span class="live-figure figure">
      {/* A new element for a new number: it begins its turn anew. */}
      <span key={value} class={turn.current}>
        {format(value)}
      </span>
    </span>
  );
}
