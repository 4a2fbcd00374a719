// The card of passkeys: which there are, making one, naming them and removing them.
import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import type { Passkey } from '#contract';
import type { PasskeyListModel } from '../models/passkey-list.ts';
import { Badge } from './badge.tsx';
import { Button } from './button.tsx';
import { ConfirmDialog } from './confirm-dialog.tsx';
import { TextField } from './field.tsx';
import { formatDay } from './format.ts';
import { Fault, Notice } from './notice.tsx';
import { PasswordField } from './password-field.tsx';
import { useHeadingFocus, useReturnFocus } from './return-focus.ts';
import { KeyIcon } from './security-icons.tsx';
import { Skeleton } from './skeleton.tsx';

const nameCharsMax = 60;

function Adding({ model }: { model: PasskeyListModel }) {
  const { adding } = model;
  const faults = adding.faults.value;
  const form = useRef<HTMLFormElement>(null);
  useEffect(() => {
    const place = form.current;
    (place?.querySelector<HTMLElement>('[aria-invalid]') ?? place?.querySelector('input'))?.focus();
  }, [faults]);
  return (
    <form
      ref={form}
      class="stack security-form"
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        void adding.submit();
      }}
    >
      <PasswordField
        value={adding.typed.password}
        autocomplete="current-password"
        hint="Once more, so that nobody else adds their passkey to your account."
        fault={faults.password}
      />
      <TextField
        label="Name of the passkey"
        value={adding.typed.name}
        autocomplete="off"
        maxLength={nameCharsMax}
        hint="So that you know it again in this list."
        fault={faults.name}
        data-testid="passkey-name"
      />
      {adding.fault.value && <Notice tone="bad">{adding.fault.value}</Notice>}
      <div class="row wrap">
        <Button look="primary" type="submit" busy={adding.busy.value} data-testid="passkey-make">
          Make the passkey
        </Button>
        <Button look="ghost" onClick={model.closeAdding}>
          Cancel
        </Button>
      </div>
    </form>
  );
}

function Renaming({ model }: { model: PasskeyListModel }) {
  const { naming, renaming } = model;
  const fault = naming.faults.value.name;
  const form = useRef<HTMLFormElement>(null);
  useEffect(() => {
    form.current?.querySelector('input')?.select();
  }, []);
  return (
    <form
      ref={form}
      class="stack security-form"
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        void naming.submit();
      }}
    >
      <TextField
        label="Name of the passkey"
        value={naming.typed.name}
        autocomplete="off"
        maxLength={nameCharsMax}
        fault={fault}
        data-testid="passkey-new-name"
      />
      {naming.fault.value && <Notice tone="bad">{naming.fault.value}</Notice>}
      <div class="row wrap">
        <Button
          size="small"
          look="primary"
          type="submit"
          busy={naming.busy.value}
          data-testid="passkey-name-save"
        >
          Save
        </Button>
        <Button
          size="small"
          look="ghost"
          onClick={() => {
            renaming.value = null;
          }}
        >
          Cancel
        </Button>
      </div>
    </form>
  );
}

type RowProps = { model: PasskeyListModel; passkey: Passkey; onRemove: () => void };

function Row({ model, passkey, onRemove }: RowProps) {
  const { id, name, backedUp, createdAt, lastUsedAt } = passkey;
  const isRenaming = model.renaming.value === id;
  const row = useReturnFocus<HTMLLIElement>(isRenaming);
  return (
    <li ref={row} class="security-row" data-testid="passkey">
      <span class="security-row-icon" aria-hidden="true">
        <KeyIcon size={20} />
      </span>
      {isRenaming ? (
        <Renaming model={model} />
      ) : (
        <>
          <div class="security-row-words">
            <p class="row wrap">
              <b>
                <bdi>{name}</bdi>
              </b>
              <Badge>{backedUp ? 'In a password manager' : 'On one device'}</Badge>
            </p>
            <p class="faint">
              Added {formatDay(createdAt)} ·{' '}
              {lastUsedAt ? `last used ${formatDay(lastUsedAt)}` : 'not used yet'}
            </p>
          </div>
          <div class="security-row-acts">
            <Button
              size="small"
              look="ghost"
              onClick={() => model.rename(passkey)}
              aria-label={`Rename ${name}`}
              data-opens="rename"
              data-testid="passkey-rename"
            >
              Rename
            </Button>
            <Button
              size="small"
              look="danger"
              onClick={onRemove}
              aria-label={`Remove ${name}`}
              data-testid="passkey-remove"
            >
              Remove
            </Button>
          </div>
        </>
      )}
    </li>
  );
}

function List({ model }: { model: PasskeyListModel }) {
  const asked = useSignal<Passkey | null>(null);
  const { list, removal } = model;
  const known = list.value.value;
  if (!known && list.fault.value) return <Fault text={list.fault.value} onRetry={list.load} />;
  if (!known) return <Skeleton height="64px" />;
  const leave = () => {
    asked.value = null;
  };
  return (
    <>
      {known.length > 0 && (
        <ul class="security-rows">
          {known.map((passkey) => (
            <Row
              key={passkey.id}
              model={model}
              passkey={passkey}
              onRemove={() => {
                asked.value = passkey;
              }}
            />
          ))}
        </ul>
      )}
      {removal.fault.value && <Notice tone="warn">{removal.fault.value}</Notice>}
      <ConfirmDialog
        title="Remove this passkey?"
        open={asked.value !== null}
        yes="Remove it"
        no="Keep it"
        onNo={leave}
        onYes={() => {
          const passkey = asked.peek();
          leave();
          if (passkey) void removal.submit(passkey.id);
        }}
      >
        <p>
          “<bdi>{asked.value?.name}</bdi>” logs nobody in any more. Remove it from your device or
          password manager as well.
        </p>
      </ConfirmDialog>
    </>
  );
}

export function PasskeysCard({ model }: { model: PasskeyListModel }) {
  const isAdding = model.isAdding.value;
  const card = useReturnFocus<HTMLElement>(isAdding);
  const heading = useHeadingFocus(model.list.value.value?.length);
  return (
    <section ref={card} class="card security-card" aria-labelledby="passkeys-title">
      <h2 ref={heading} id="passkeys-title" tabIndex={-1}>
        Passkeys
      </h2>
      <p class="soft">
        Log in with a finger, a face or the PIN of your device: no password, no code, and nothing
        that can be told to a false page.
      </p>
      <List model={model} />
      {isAdding && <Adding model={model} />}
      {!isAdding && model.isSupported && (
        <div>
          <Button onClick={model.open} data-opens="passkey" data-testid="passkey-add">
            <KeyIcon size={18} /> Add a passkey
          </Button>
        </div>
      )}
      {!model.isSupported && (
        <p class="faint" data-testid="passkeys-unsupported">
          This browser takes no passkeys at this address.
        </p>
      )}
    </section>
  );
}
