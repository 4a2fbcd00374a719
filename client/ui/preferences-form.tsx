// Preferences: the look, tips and streams, what one is told of and how; each is kept as soon as it is picked.
import type { ComponentChildren } from 'preact';
import { useId } from 'preact/hooks';
import {
  type NoticeChannel,
  type NoticeKind,
  noticeChannels,
  noticeKinds,
  type VersionedPreferences,
} from '#contract';
import type { PreferencesModel } from '../models/preferences-page.ts';
import { Check } from './field.tsx';
import { Notice } from './notice.tsx';
import { ThemeChoice } from './theme-choice.tsx';
import './preferences-form.css';

const kindWords: Record<NoticeKind, string> = {
  live: 'Somebody I follow goes live',
  scheduled: 'Somebody I follow announces a stream',
  tip: 'I get a tip',
  follower: 'Somebody follows me',
  payment: 'My purchases and refunds',
  payout: 'My payouts',
};
const channelWords: Record<NoticeChannel, string> = { app: 'Here', push: 'Push', email: 'E-mail' };

type PartProps = { model: PreferencesModel; told: VersionedPreferences };

function Section({ title, children }: { title: string; children: ComponentChildren }) {
  const id = useId();
  return (
    <section class="card preferences-part" aria-labelledby={id}>
      <h2 id={id}>{title}</h2>
      {children}
    </section>
  );
}

function Look({ model, told }: PartProps) {
  return (
    <Section title="Look">
      <ThemeChoice />
      <Check
        label="Less that moves and flashes"
        checked={told.reducedEffects}
        onPick={(reducedEffects) => model.change({ reducedEffects })}
        data-testid="prefer-reduced"
      />
    </Section>
  );
}

function Streams({ model, told }: PartProps) {
  return (
    <Section title="When I tip and stream">
      <Check
        label="Tip without my name unless I say otherwise"
        checked={told.tipAnonymously}
        onPick={(tipAnonymously) => model.change({ tipAnonymously })}
        data-testid="prefer-anonymous"
      />
      <Check
        label="Other performers may lead their audience to my stream"
        checked={told.acceptsRaids}
        onPick={(acceptsRaids) => model.change({ acceptsRaids })}
        data-testid="prefer-raids"
      />
    </Section>
  );
}

function Notices({ model, told }: PartProps) {
  return (
    <div class="table-scroll">
      <table class="preferences-notices">
        <thead>
          <tr>
            <th scope="col">When</th>
            {noticeChannels.map((channel) => (
              <th key={channel} scope="col">
                {channelWords[channel]}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {noticeKinds.map((kind) => (
            <tr key={kind}>
              <th scope="row">{kindWords[kind]}</th>
              {noticeChannels.map((channel) => (
                <td key={channel}>
                  <label class="preferences-notice">
                    <input
                      type="checkbox"
                      checked={told.notices[kind][channel]}
                      onChange={(event) => model.tell(kind, channel, event.currentTarget.checked)}
                      data-testid={`notice-${kind}-${channel}`}
                    />
                    <span class="sr-only">
                      {kindWords[kind]}: {channelWords[channel]}
                    </span>
                  </label>
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function QuietTime({ model, told, end }: PartProps & { end: 'from' | 'to' }) {
  const id = useId();
  return (
    <div class="field">
      <label for={id}>{end === 'from' ? 'From' : 'To'}</label>
      <input
        id={id}
        class="input"
        type="time"
        value={told.quietHours?.[end]}
        onChange={(event) => model.setQuietTime(end, event.currentTarget.value)}
        data-testid={`quiet-${end}`}
      />
    </div>
  );
}

function Told({ model, told }: PartProps) {
  return (
    <Section title="What I am told of">
      <p class="faint">
        Notices are not sent yet. What you choose here counts from the first one on.
      </p>
      <Notices model={model} told={told} />
      <Check
        label="Quiet hours: nothing rings"
        checked={told.quietHours !== null}
        onPick={model.setQuiet}
        data-testid="prefer-quiet"
      />
      {told.quietHours && (
        <div class="row wrap">
          <QuietTime model={model} told={told} end="from" />
          <QuietTime model={model} told={told} end="to" />
          <span class="faint">by the clock of {told.quietHours.timeZone.replaceAll('_', ' ')}</span>
        </div>
      )}
      <Check
        label="Write to me about what is new and on offer"
        checked={told.marketing}
        onPick={(marketing) => model.change({ marketing })}
        data-testid="prefer-marketing"
      />
      <p class="faint">About your log-in and your security we write in any case.</p>
    </Section>
  );
}

export function PreferencesForm({ model }: { model: PreferencesModel }) {
  const told = model.value.value;
  if (!told) return null;
  return (
    <div class="stack">
      <div class="preferences-state" aria-live="polite">
        {model.fault.value && <Notice tone="bad">{model.fault.value}</Notice>}
        <p class="faint" data-testid="preferences-state" data-saved={model.saved.value}>
          {model.saved.value ? 'Saved.' : 'What you pick is kept at once.'}
        </p>
      </div>
      <div class="preferences-grid">
        <div class="stack">
          <Look model={model} told={told} />
          <Streams model={model} told={told} />
        </div>
        <Told model={model} told={told} />
      </div>
    </div>
  );
}
