// A field for a code: six digits of an authenticator app, or a recovery code in their place.
import { useEffect, useRef } from 'preact/hooks';
import type { CodeForm } from '../models/code-form.ts';
import { TextField } from './field.tsx';

/** Room for those who type the blanks and lines between the groups. */
const charsMax = { app: 11, recovery: 40 };

type CodeFieldProps = {
  form: CodeForm;
  hint?: string;
  /** Whether a recovery code is taken as well. */
  withRecovery?: boolean;
};

export function CodeField({ form, hint, withRecovery = true }: CodeFieldProps) {
  const place = useRef<HTMLDivElement>(null);
  const source = form.source.value;
  const fault = form.faults.value.code;
  useEffect(() => {
    // It is the one thing to do here, also after a code that was wrong.
    place.current?.querySelector('input')?.focus();
  }, [source, fault]);
  const common = { value: form.typed.code, fault, spellcheck: false, required: true };
  return (
    <div class="stack" ref={place}>
      {source === 'app' ? (
        <TextField
          key="app"
          {...common}
          label="Code of your authenticator app"
          name="code"
          inputMode="numeric"
          autocomplete="one-time-code"
          maxLength={charsMax.app}
          placeholder="123 456"
          hint={hint}
          data-testid="code"
        />
      ) : (
        <TextField
          key="recovery"
          {...common}
          label="Recovery code"
          name="recovery-code"
          autocomplete="off"
          autocapitalize="none"
          maxLength={charsMax.recovery}
          hint="One of those that you have kept. Each works once."
          data-testid="code"
        />
      )}
      {withRecovery && (
        <p>
          <button
            type="button"
            class="text-button"
            onClick={() => form.use(source === 'app' ? 'recovery' : 'app')}
            data-testid="code-source"
          >
            {source === 'app' ? 'Use a recovery code' : 'Use the authenticator app'}
          </button>
        </p>
      )}
    </div>
  );
}
