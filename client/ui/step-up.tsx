// The step-up on every page: its dialog is fetched when somebody is asked for a second factor the first time.
import { signal } from '@preact/signals';
import type { ComponentType } from 'preact';
import { useEffect } from 'preact/hooks';
import { useApp } from './app-context.ts';

const dialog = signal<ComponentType | null>(null);

export function StepUp() {
  const { stepUp, toasts } = useApp();
  const isWanted = stepUp.isAsking.value && dialog.value === null;
  useEffect(() => {
    if (!isWanted) return;
    import('./step-up-dialog.tsx').then(
      ({ StepUpDialog }) => {
        dialog.value = StepUpDialog;
      },
      () => {
        toasts.show('This could not be fetched. Check your network and try again.', 'bad');
        stepUp.declined();
      },
    );
  }, [isWanted, stepUp, toasts]);
  const Dialog = dialog.value;
  return Dialog && <Dialog />;
}
