// The toaster: shows the toasts of the app and has them read out.
import { useApp } from './app-context.ts';
import { IconButton } from './button.tsx';
import { AlertIcon, CheckIcon, CloseIcon, InfoIcon } from './icons.tsx';
import './toaster.css';

const icons = { info: InfoIcon, good: CheckIcon, bad: AlertIcon };

export function Toaster() {
  const { toasts } = useApp();
  return (
    <section class="toaster" aria-label="Messages" aria-live="polite">
      {toasts.shown.value.map((toast) => {
        const Icon = icons[toast.tone];
        return (
          <div key={toast.id} class={`toast ${toast.tone}`} data-testid="toast">
            <Icon />
            <span>{toast.text}</span>
            <IconButton label="Dismiss" onClick={() => toasts.dismiss(toast.id)}>
              <CloseIcon size={16} />
            </IconButton>
          </div>
        );
      })}
    </section>
  );
}
