// Skeletons: the outline of what is being fetched, in its place and size.
import './skeleton.css';

type SkeletonProps = { width?: string; height?: string; round?: boolean };

export function Skeleton({ width = '100%', height = '1em', round = false }: SkeletonProps) {
  return <span class={round ? 'skeleton round' : 'skeleton'} style={{ width, height }} />;
}

/** Tells screen readers once that something is on its way. */
export function Loading({ what }: { what: string }) {
  return (
    <p class="sr-only" role="status">
      Loading {what}
    </p>
  );
}
