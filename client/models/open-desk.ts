// Opens the capture desk and publishers with their real parts.
import { capture } from '../media/capture.ts';
import { ladders } from '../media/ladders.ts';
import { Publisher } from '../media/publisher.ts';
import { createMeter, mixSounds } from '../media/sound-desk.ts';
import { CaptureDesk } from './capture-desk.ts';
import type { Clock } from './clock.ts';
import type { SendingDeps } from './sending.ts';

export function openDesk(clock: Clock): CaptureDesk {
  return CaptureDesk.create({ capture, sizes: ladders, createMeter, mixSounds, clock });
}

export function openPublisher(
  clock: Clock,
  ...[socket, tracks, quality]: Parameters<SendingDeps['openPublisher']>
): Promise<Publisher> {
  return Publisher.create(socket, tracks, quality, clock);
}
