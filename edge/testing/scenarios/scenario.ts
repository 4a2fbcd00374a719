// Scenarios: acts on the paths of money that end the same, whether their process was killed on the way or not.
import type { Answer, TestEdge } from '../../../testing/edge.ts';
import type { Failpoint } from '../../services/failpoints.ts';
import type { Cast, Member } from '../cast.ts';

export interface World {
  edge: TestEdge;
  cast: Cast;
}

/** One request to an edge that may die of it. */
export type Send = (
  who: Member | null,
  method: string,
  path: string,
  options?: { body?: unknown; headers?: Record<string, string> },
) => Promise<Answer>;

export interface Run {
  /** A request, which a retry sends once more just as it was; or a round of a job, by its name. */
  act: ((send: Send) => Promise<Answer>) | string;
  /** Answers to a retry that are as good as a success, because the first attempt was one. */
  retried?: readonly number[];
  /** What is there afterwards. */
  end(): Promise<unknown>;
}

export interface Scenario {
  /** The failpoints that it comes by. */
  points: readonly Failpoint[];
  /** How it ends. */
  ends: unknown;
  /** Everything before the act, with people of its own. */
  begin(): Promise<Run>;
}

/** Everything that waits for its turn has it now. */
export async function makeAllDue({ database }: TestEdge): Promise<void> {
  for (const statement of [
    `update orders set check_at = now() - interval '1 second' where state <> 'paid' and check_at is not null`,
    'update payouts set next_attempt_at = now() where next_attempt_at is not null',
    'update refunds set next_attempt_at = now() where next_attempt_at is not null',
    `update payout_accounts set next_attempt_at = now() where state = 'pending'`,
  ]) {
    await database.asOwner(statement);
  }
}
