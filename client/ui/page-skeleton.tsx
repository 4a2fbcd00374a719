// The outline of a page whose code is still on its way.
import { Loading, Skeleton } from './skeleton.tsx';

export function PageSkeleton() {
  return (
    <main class="page stack" id="main" tabIndex={-1}>
      <Loading what="the page" />
      <Skeleton width="min(320px, 70%)" height="2.2rem" />
      <Skeleton width="min(480px, 90%)" height="1rem" />
      <Skeleton height="38vh" />
    </main>
  );
}
