// Toasts: short messages that come, are read out, and go.
import { signal } from '@preact/signals';
import type { Clock } from './clock.ts';

export const toastsMax = 3;
export const toastMs = 6_000;

export type Tone = 'info' | 'good' | 'bad';
export type Toast = { id: number; tone: Tone; text: string };

export function createToasts(clock: Clock) {
  const shown = signal<readonly Toast[]>([]);
  let nextId = 1;
  function dismiss(id: number): void {
    shown.value = shown.peek().filter((toast) => toast.id !== id);
  }
  return {
    shown,
    dismiss,
    show(text: string, tone: Tone = 'info'): void {
      const others = shown.peek().filter((toast) => toast.text !== text);
      const toast = { id: nextId++, tone, text };
      shown.value = [...others, toast].slice(-toastsMax);
      clock.after(toastMs, () => dismiss(toast.id));
    },
  };
}
export type Toasts = ReturnType<typeof createToasts>;
