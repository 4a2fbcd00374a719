// Media faults: what the media library throws, said in the words of the contract.
import { errors } from 'mediasoup';
import { Refusal, refusal } from '../refusals.ts';

const detailCharsMax = 160;

/**
 * Runs a call of the media library. A worker that is gone becomes `unavailable`, a thing that is
 * gone `not-found`. Other faults become `blame` where the caller's parameters went into the call;
 * with null they are our own and stay as they are.
 */
export async function mediaCall<T>(
  blame: 'unsupported-media' | 'malformed-frame' | null,
  call: () => Promise<T>,
): Promise<T> {
  try {
    return await call();
  } catch (error) {
    if (error instanceof Refusal) throw error;
    const detail = error instanceof Error ? error.message.slice(0, detailCharsMax) : 'unknown';
    if (error instanceof errors.WorkerClosedError) {
      throw refusal('unavailable', 'the media worker is gone');
    }
    if (error instanceof errors.NotFoundError) throw refusal('not-found', detail);
    if (blame === null) throw error;
    throw refusal(blame, detail);
  }
}
