// The card of devices: where one is logged in, and logging out there.
import { type DevicesModel, methodWords, type SeenDevice } from '../models/devices.ts';
import { useApp } from './app-context.ts';
import { Badge } from './badge.tsx';
import { Button } from './button.tsx';
import { formatDay, formatSince } from './format.ts';
import { SystemIcon } from './icons.tsx';
import { PhoneIcon } from './money-icons.tsx';
import { Fault, Notice } from './notice.tsx';
import { useHeadingFocus } from './return-focus.ts';
import { Skeleton } from './skeleton.tsx';

const phones = /Android|iPhone|iPad|iOS/;

function seenWords(instant: string, nowMs: number): string {
  const since = formatSince(instant, nowMs);
  return since === 'just now' ? since : `${since} ago`;
}

function Row({ model, device }: { model: DevicesModel; device: SeenDevice }) {
  const { clock } = useApp();
  const name = device.device || 'A device that says nothing of itself';
  const Icon = phones.test(name) ? PhoneIcon : SystemIcon;
  return (
    <li class="security-row" data-testid="device" data-current={device.current}>
      <span class="security-row-icon" aria-hidden="true">
        <Icon size={20} />
      </span>
      <div class="security-row-words">
        <p class="row wrap">
          <b>{name}</b>
          {device.current && <Badge tone="good">This device</Badge>}
        </p>
        <p class="faint">
          Seen {seenWords(device.lastSeenAt, clock.now())} · logged in {formatDay(device.createdAt)}{' '}
          by {methodWords(device.methods)}
        </p>
      </div>
      {!device.current && (
        <div class="security-row-acts">
          <Button
            size="small"
            busy={model.ending.value === device.id}
            onClick={() => void model.end.submit(device.id)}
            aria-label={`Log out ${name}`}
            data-testid="device-end"
          >
            Log out
          </Button>
        </div>
      )}
    </li>
  );
}

function List({ model }: { model: DevicesModel }) {
  const { list } = model;
  const known = list.value.value;
  if (!known && list.fault.value) return <Fault text={list.fault.value} onRetry={list.load} />;
  if (!known) return <Skeleton height="120px" />;
  return (
    <ul class="security-rows">
      {known.map((device) => (
        <Row key={device.id} model={model} device={device} />
      ))}
    </ul>
  );
}

export function DevicesCard({ model }: { model: DevicesModel }) {
  const { end, endOthers } = model;
  const fault = end.fault.value ?? endOthers.fault.value;
  const heading = useHeadingFocus(model.list.value.value?.length);
  return (
    <section class="card security-card" aria-labelledby="devices-title">
      <h2 ref={heading} id="devices-title" tabIndex={-1}>
        Devices
      </h2>
      <p class="soft">
        Where you are logged in. If you do not know one of them, log it out and change your
        password.
      </p>
      <List model={model} />
      {fault && <Notice tone="bad">{fault}</Notice>}
      {model.hasOthers.value && (
        <div>
          <Button
            look="danger"
            busy={endOthers.busy.value}
            onClick={() => void endOthers.submit()}
            data-testid="devices-end-others"
          >
            Log out all other devices
          </Button>
        </div>
      )}
    </section>
  );
}
