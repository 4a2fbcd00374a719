// Plots for the terminal: the distribution of samples at a glance.

const barCharsMax = 48;
const bins = 12;

/** A histogram with one line per bin, for samples in milliseconds. */
export function histogram(title: string, samplesMs: readonly number[]): string {
  const low = Math.min(...samplesMs);
  const high = Math.max(...samplesMs);
  const width = Math.max(1, (high - low) / bins);
  const counts = new Array<number>(bins).fill(0);
  for (const sample of samplesMs) {
    const bin = Math.min(bins - 1, Math.floor((sample - low) / width));
    counts[bin] = (counts[bin] ?? 0) + 1;
  }
  const most = Math.max(...counts);
  const lines = counts.map((count, bin) => {
    const from = `${Math.round(low + bin * width)} ms`.padStart(9);
    const bar = '█'.repeat(Math.round((count / most) * barCharsMax));
    return `${from} │${bar} ${count || ''}`;
  });
  return [`${title} (${samplesMs.length} samples)`, ...lines, ''].join('\n');
}

/** One bar for each name, the longest for the greatest figure. */
export function bars(title: string, figures: Record<string, number>): string {
  const most = Math.max(...Object.values(figures));
  const width = Math.max(...Object.keys(figures).map((name) => name.length));
  const lines = Object.entries(figures).map(([name, figure]) => {
    const bar = '█'.repeat(Math.round((figure / most) * barCharsMax));
    return `  ${name.padEnd(width)} │${bar} ${Math.round(figure)}`;
  });
  return [title, ...lines, ''].join('\n');
}
