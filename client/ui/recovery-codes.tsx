// Recovery codes, shown this once: to copy, to keep as a file, and to say that they are kept.
import { useEffect, useRef } from 'preact/hooks';
import { type AuthenticatorModel, inGroups, recoveryText } from '../models/authenticator.ts';
import { useApp } from './app-context.ts';
import { Button } from './button.tsx';
import { CopyButton } from './copy-button.tsx';
import { DownloadIcon } from './money-icons.tsx';

type RecoveryCodesProps = { model: AuthenticatorModel; codes: readonly string[] };

export function RecoveryCodes({ model, codes }: RecoveryCodesProps) {
  const { router } = useApp();
  const place = useRef<HTMLDivElement>(null);
  const { areKept } = model;
  useEffect(() => {
    place.current?.focus();
    return router.guardLeaving(() =>
      areKept.peek() ? null : 'These recovery codes are not shown again. Leave them?',
    );
  }, [router, areKept]);
  return (
    <div ref={place} class="stack" tabIndex={-1} data-testid="recovery-codes">
      <h3>Keep your recovery codes</h3>
      <p class="soft">
        Each logs you in once, in place of a code of the app: without your phone they are the only
        way in. They are not shown again.
      </p>
      <ol class="recovery-codes" aria-label="Recovery codes">
        {codes.map((code) => (
          <li key={code}>
            <code>{inGroups(code)}</code>
          </li>
        ))}
      </ol>
      <div class="row wrap">
        <CopyButton
          look="quiet"
          text={recoveryText(codes)}
          told="The recovery codes are copied."
          data-testid="codes-copy"
        >
          Copy
        </CopyButton>
        <Button size="small" onClick={model.saveCodes} data-testid="codes-download">
          <DownloadIcon size={16} /> Download
        </Button>
      </div>
      <label class="check">
        <input
          type="checkbox"
          checked={areKept.value}
          onChange={(event) => {
            areKept.value = event.currentTarget.checked;
          }}
          data-testid="codes-kept"
        />
        I have kept them in a safe place
      </label>
      <div>
        <Button
          look="primary"
          disabled={!areKept.value}
          onClick={model.finish}
          data-testid="codes-done"
        >
          Done
        </Button>
      </div>
    </div>
  );
}
