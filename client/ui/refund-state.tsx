// How a refund stands, as a badge and in words.
import type { Refund } from '#contract';
import { Badge } from './badge.tsx';

type Face = { label: string; tone: 'plain' | 'good' | 'warn' | 'gold'; meaning: string };

export const refundFaces: Record<Refund['state'], Face> = {
  requested: {
    label: 'Waiting for approval',
    tone: 'warn',
    meaning: 'One of us looks at it. The tokens are set aside meanwhile.',
  },
  approved: {
    label: 'Approved',
    tone: 'gold',
    meaning: 'It is being sent to your bank.',
  },
  sent: {
    label: 'On its way',
    tone: 'gold',
    meaning: 'It goes back the way you paid. Banks usually take 5 to 7 working days.',
  },
  processed: { label: 'Paid back', tone: 'good', meaning: 'The money is back where it came from.' },
  rejected: {
    label: 'Declined',
    tone: 'plain',
    meaning: 'It was declined. The tokens are in your wallet again.',
  },
  failed: {
    label: 'Did not go through',
    tone: 'warn',
    meaning: 'Your bank did not take it. The tokens are in your wallet again.',
  },
};

export function RefundBadge({ state }: { state: Refund['state'] }) {
  const { label, tone } = refundFaces[state];
  return <Badge tone={tone}>{label}</Badge>;
}
