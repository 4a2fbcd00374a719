// A progress bar: how much of something is used, said in words to those who do not see it.
import './progress-bar.css';

const fullFrom = 0.999;
const nearFrom = 0.8;

/** `share` goes from 0 to 1. */
export function ProgressBar({
  share,
  label,
  text,
}: {
  share: number;
  label: string;
  text: string;
}) {
  const tone = share >= fullFrom ? 'full' : share >= nearFrom ? 'near' : '';
  return (
    <div
      class={`progress ${tone}`}
      role="progressbar"
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={Math.round(share * 100)}
      aria-valuetext={text}
    >
      <span style={{ width: `${share * 100}%` }} />
    </div>
  );
}
