// What is made on a transport that closes meanwhile.
import type { Consumer, Producer, Transport } from 'mediasoup/types';
import { refusal } from '../refusals.ts';

/**
 * The library hands out a producer or consumer whose transport was closed while it was being made,
 * and never closes it: it would stay in the room for ever.
 */
export function refuseIfClosed(transport: Transport, made: Producer | Consumer): void {
  if (!transport.closed && !made.closed) return;
  made.close();
  throw refusal('unavailable', 'the transport was closed');
}
