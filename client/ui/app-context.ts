// The app context: how components reach the models that every page shares.
import { createContext } from 'preact';
import { useContext, useEffect, useMemo } from 'preact/hooks';
import type { App } from '../models/app.ts';

const AppContext = createContext<App | null>(null);

export const AppProvider = AppContext.Provider;

export function useApp(): App {
  const app = useContext(AppContext);
  if (!app) throw new Error('no app around this component');
  return app;
}

/** A model that lives as long as the component that shows it, and is made anew when `key` changes. */
export function useLife<T extends { close(): void }>(create: () => T, key: unknown): T {
  // The key alone says when a new life begins.
  const model = useMemo(create, [key]);
  useEffect(() => () => model.close(), [model]);
  return model;
}

/** The title of the window while a page is shown. */
export function useTitle(title: string): void {
  useEffect(() => {
    document.title = title === 'LivePanty' ? title : `${title} · LivePanty`;
  }, [title]);
}
