// Returning the focus: who has closed a form stands where they had opened it, and not at the page's start.
import { useEffect, useRef } from 'preact/hooks';

/** For the heading of a list: who has removed one of so many rows, and its button with it, stands there. */
export function useHeadingFocus(rows: number | undefined) {
  const heading = useRef<HTMLHeadingElement>(null);
  const before = useRef(rows);
  useEffect(() => {
    if (rows !== undefined && before.current !== undefined && rows < before.current) {
      heading.current?.focus();
    }
    before.current = rows;
  }, [rows]);
  return heading;
}

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
