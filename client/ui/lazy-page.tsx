// A lazy page: its code is fetched when it is first shown, or when somebody is about to go there.
import { signal } from '@preact/signals';
import type { ComponentType } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { Fault } from './notice.tsx';
import { PageSkeleton } from './page-skeleton.tsx';

export type LazyPage<P> = ComponentType<P> & { preload(): void };

export function lazyPage<P extends object>(
  fetchPage: () => Promise<ComponentType<P>>,
): LazyPage<P> {
  const page = signal<ComponentType<P> | null>(null);
  const failed = signal(false);
  let fetching = false;

  async function preload(): Promise<void> {
    if (page.peek() || fetching) return;
    fetching = true;
    failed.value = false;
    try {
      page.value = await fetchPage();
    } catch {
      // Offline, or a newer version of the product has replaced the files: the person may try again.
      failed.value = true;
    } finally {
      fetching = false;
    }
  }

  function Lazy(props: P) {
    useEffect(() => void preload(), []);
    const Page = page.value;
    // Who moved here by keyboard stands on the outline's content, and stays on the page's.
    const stoodHere = useRef(false);
    if (Page && document.activeElement?.id === 'main') stoodHere.current = true;
    useEffect(() => {
      if (stoodHere.current) document.getElementById('main')?.focus({ preventScroll: true });
    }, [Page]);
    if (Page) return <Page {...props} />;
    if (failed.value) {
      return <Fault text="This page could not be fetched." onRetry={() => location.reload()} />;
    }
    return <PageSkeleton />;
  }
  return Object.assign(Lazy, { preload: () => void preload() });
}
