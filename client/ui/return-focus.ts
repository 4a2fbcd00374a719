// Returning the focus: who has closed a form stands where they had opened it, and not at the page's start.
import { useEffect, useRef } from 'preact/hooks';

/** For the element around a form and the button that opens it, which has `data-opens`. */
export function useReturnFocus<T extends HTMLElement>(isOpen: boolean) {
  const around = useRef<T>(null);
  const wasOpen = useRef(false);
  useEffect(() => {
    if (wasOpen.current && !isOpen) {
      around.current?.querySelector<HTMLElement>('[data-opens]')?.focus();
    }
    wasOpen.current = isOpen;
  }, [isOpen]);
  return around;
}
