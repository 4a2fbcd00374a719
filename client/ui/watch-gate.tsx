// The gate in place of the picture: what it takes to watch this stream, in one calm card.
import type { Stream } from '#contract';
import type { WatchGate as WatchGateModel } from '../models/watch-gate.ts';
import { BirthFields } from './birth-fields.tsx';
import { Button, ButtonLink } from './button.tsx';
import { formatTokens } from './format.ts';
import { Notice } from './notice.tsx';
import './watch-gate.css';

type GateProps = { gate: WatchGateModel; stream: Stream | null; isMember: boolean };

function AgeGate({ gate, stream }: GateProps) {
  const { age } = gate;
  return (
    <form
      class="watch-gate-form"
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        age.submit();
      }}
    >
      <h2>Before you watch</h2>
      <p class="soft">
        LivePanty is for adults. Say when you were born and where you are; nothing but your country
        is kept.
      </p>
      {age.fault.value && <Notice tone="bad">{age.fault.value}</Notice>}
      <BirthFields typed={age.typed} faults={age.faults.value} prefix="gate-" />
      <Button look="primary" type="submit" busy={age.busy.value} data-testid="gate-submit">
        Watch
      </Button>
      <p class="faint">
        Or <a href={`/login?next=/watch/${stream?.id ?? ''}`}>log in</a>, and chat and tip as well.
      </p>
    </form>
  );
}

function EntryGate({ gate, stream, isMember }: GateProps) {
  const tokens = stream?.entryTokens ?? 0;
  const price = formatTokens(tokens);
  return (
    <div class="watch-gate-form">
      <h2>This stream needs an entry</h2>
      <p class="soft">
        It costs {price}. They go back to your wallet if the stream never goes live.
      </p>
      {gate.fault.value && <Notice tone="bad">{gate.fault.value}</Notice>}
      {isMember ? (
        <Button
          look="primary"
          busy={gate.buying.value}
          onClick={() => gate.buyEntry(tokens)}
          data-testid="gate-buy-entry"
        >
          Enter for {price}
        </Button>
      ) : (
        <ButtonLink look="primary" href={`/login?next=/watch/${stream?.id ?? ''}`}>
          Log in to enter
        </ButtonLink>
      )}
    </div>
  );
}

function ClosedGate({
  title,
  words,
  gate,
}: {
  title: string;
  words: string;
  gate?: WatchGateModel;
}) {
  return (
    <div class="watch-gate-form">
      <h2>{title}</h2>
      <p class="soft">{words}</p>
      <div class="row wrap">
        {gate && <Button onClick={gate.tryAgain}>Try again</Button>}
        <ButtonLink href="/">See who is live</ButtonLink>
      </div>
    </div>
  );
}

function gateOf(props: GateProps) {
  const name = props.stream?.performer.username ?? 'its performer';
  switch (props.gate.gate.value) {
    case 'age-gate-needed':
      return <AgeGate {...props} />;
    case 'entry-needed':
      return <EntryGate {...props} />;
    case 'followers-only':
      return (
        <ClosedGate
          title="For followers"
          words={`Only who follows ${name} can watch this stream. Follow them below to come in.`}
          gate={props.gate}
        />
      );
    case 'country-blocked':
      return (
        <ClosedGate title="Not where you are" words={`${name} does not stream to your country.`} />
      );
    default:
      return (
        <ClosedGate
          title="You cannot watch this"
          words={`${name} has closed this stream to you.`}
        />
      );
  }
}

export function WatchGate(props: GateProps) {
  return (
    <section class="watch-gate" data-testid="watch-gate" data-gate={props.gate.gate.value ?? ''}>
      {gateOf(props)}
    </section>
  );
}
