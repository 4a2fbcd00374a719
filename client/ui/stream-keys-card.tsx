// Stream keys in the studio: for those who send from an encoder and not from the browser.
import {
  type IngestProtocol,
  ingestProtocols,
  type StreamKey,
  streamKeyNameCharsMax,
} from '#contract';
import { createStreamKeys, type StreamKeys } from '../models/stream-keys.ts';
import { useApp, useLife } from './app-context.ts';
import { Badge } from './badge.tsx';
import { Button } from './button.tsx';
import { Dialog } from './dialog.tsx';
import { EncoderAddresses, EncoderGuide } from './encoder-guide.tsx';
import { TextField } from './field.tsx';
import { formatDay, formatDayTime } from './format.ts';
import { Notice } from './notice.tsx';
import './stream-keys-card.css';

const protocolNames: Record<IngestProtocol, string> = { whip: 'WHIP', rtmp: 'RTMP', srt: 'SRT' };

function Key({ keys, streamKey }: { keys: StreamKeys; streamKey: StreamKey }) {
  const { name, hint, protocols, createdAt, lastUsedAt } = streamKey;
  return (
    <li class="stream-key" data-testid="stream-key">
      <div class="stream-key-text">
        <h3>
          <bdi>{name}</bdi>
        </h3>
        <p class="faint">
          Ends with <span class="stream-key-hint">{hint}</span> · made on {formatDay(createdAt)} ·{' '}
          {lastUsedAt ? `last used ${formatDayTime(lastUsedAt)}` : 'never used'}
        </p>
        <p class="row wrap">
          {protocols.map((protocol) => (
            <Badge key={protocol}>{protocolNames[protocol]}</Badge>
          ))}
        </p>
      </div>
      <div class="row wrap">
        <Button
          size="small"
          aria-label={`Rotate ${name}`}
          onClick={() => {
            keys.asked.value = { act: 'rotate', key: streamKey };
          }}
          data-testid="stream-key-rotate"
        >
          Rotate
        </Button>
        <Button
          size="small"
          look="ghost"
          aria-label={`Delete ${name}`}
          onClick={() => {
            keys.asked.value = { act: 'remove', key: streamKey };
          }}
          data-testid="stream-key-remove"
        >
          Delete
        </Button>
      </div>
    </li>
  );
}

function NewKey({ keys }: { keys: StreamKeys }) {
  return (
    <form
      class="stack stream-key-form"
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        keys.make();
      }}
    >
      <TextField
        label="Name"
        value={keys.name}
        maxLength={streamKeyNameCharsMax}
        autocomplete="off"
        placeholder="Such as: OBS on my desk"
        data-testid="stream-key-name"
      />
      <fieldset class="row wrap">
        <legend class="studio-label">For</legend>
        {ingestProtocols.map((protocol) => (
          <label key={protocol} class="check">
            <input
              type="checkbox"
              checked={keys.protocols.value.includes(protocol)}
              onChange={() => keys.toggle(protocol)}
              data-testid={`stream-key-${protocol}`}
            />
            {protocolNames[protocol]}
          </label>
        ))}
      </fieldset>
      {keys.fault.value && <Notice tone="bad">{keys.fault.value}</Notice>}
      <div class="row wrap">
        <Button look="primary" type="submit" busy={keys.busy.value} data-testid="stream-key-make">
          Make the key
        </Button>
        <Button
          look="ghost"
          onClick={() => {
            keys.isMaking.value = false;
          }}
        >
          Cancel
        </Button>
      </div>
    </form>
  );
}

function Secret({ keys }: { keys: StreamKeys }) {
  const shown = keys.shown.value;
  return (
    <Dialog
      title="Your stream key"
      open={shown !== null}
      onClose={keys.putAway}
      actions={
        <>
          <Button look="primary" onClick={() => keys.copySecret()} data-testid="stream-key-copy">
            Copy the key
          </Button>
          <Button onClick={keys.putAway} data-testid="stream-key-done">
            I have kept it
          </Button>
        </>
      }
    >
      <div class="stack">
        <p>
          Put it into your encoder now: it is shown this once. Whoever has it can go live as you.
        </p>
        <output class="stream-key-secret" data-testid="stream-key-secret">
          {shown?.secret}
        </output>
        <EncoderAddresses
          servers={keys.list.value.value?.servers}
          protocols={shown?.key.protocols ?? []}
        />
      </div>
    </Dialog>
  );
}

function Question({ keys }: { keys: StreamKeys }) {
  const asked = keys.asked.value;
  const isRemoval = asked?.act === 'remove';
  const ask = () => {
    keys.asked.value = null;
  };
  return (
    <Dialog
      title={isRemoval ? `Delete “${asked?.key.name}”?` : `Rotate “${asked?.key.name ?? ''}”?`}
      open={asked !== null}
      onClose={ask}
      actions={
        <>
          <Button
            look={isRemoval ? 'danger' : 'primary'}
            busy={keys.busy.value}
            onClick={() => keys.carryOut()}
            data-testid="stream-key-confirm"
          >
            {isRemoval ? 'Delete it' : 'Rotate it'}
          </Button>
          <Button onClick={ask}>Keep it as it is</Button>
        </>
      }
    >
      <p>
        {isRemoval
          ? 'Encoders that use it are cut off at once and cannot come back with it.'
          : 'You get a new secret. Encoders that use the one of now are cut off at once.'}
      </p>
    </Dialog>
  );
}

export function StreamKeysCard() {
  const { api, clock, newKey, toasts } = useApp();
  const keys = useLife(
    () =>
      createStreamKeys({
        api,
        clock,
        newKey,
        toasts,
        copy: (text) => navigator.clipboard.writeText(text),
      }),
    'stream-keys',
  );
  const known = keys.keys.value;
  const fault = keys.list.fault.value;
  return (
    <section class="card stream-keys" aria-labelledby="stream-keys-title" data-testid="stream-keys">
      <h2 id="stream-keys-title">Stream keys</h2>
      <p class="soft">
        For encoders such as OBS. A key starts the stream that you have set up last, and publishes
        in it.
      </p>
      {fault && <Notice tone="bad">{fault}</Notice>}
      {known.length > 0 && (
        <ul class="stream-key-list">
          {known.map((streamKey) => (
            <Key key={streamKey.id} keys={keys} streamKey={streamKey} />
          ))}
        </ul>
      )}
      {keys.list.value.value && known.length === 0 && !keys.isMaking.value && (
        <p class="faint">You have none. You need none to go live from here.</p>
      )}
      {keys.isMaking.value ? (
        <NewKey keys={keys} />
      ) : (
        <Button
          onClick={() => {
            keys.isMaking.value = true;
          }}
          data-testid="stream-key-new"
        >
          New stream key
        </Button>
      )}
      <EncoderGuide servers={keys.list.value.value?.servers} />
      <Secret keys={keys} />
      <Question keys={keys} />
    </section>
  );
}
