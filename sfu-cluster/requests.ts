// Requests of a joined peer: one line per frame type, from the right to ask to the answer.
import { assertNever, type Capability, type ClientFrame, type NodeTicket } from '#contract';
import type { Answer } from './link.ts';
import type { Peer } from './peer.ts';
import { refusal } from './refusals.ts';

const done: Answer = {};

/** Carries out one request, or throws a `Refusal`. */
export async function serveRequest(peer: Peer, frame: ClientFrame): Promise<Answer> {
  const { media } = peer;
  switch (frame.type) {
    case 'join':
      throw refusal('out-of-order', 'this socket has joined already');
    case 'transport.create':
      if (frame.direction === 'send') requireStage(peer);
      else requireCapability(peer, 'subscribe');
      spend(peer);
      return media.createTransport(frame.direction);
    case 'transport.connect':
      await media.connectTransport(frame);
      return done;
    case 'transport.restart-ice':
      return media.restartIce(frame.transportId);
    case 'transport.plain':
      requireCapability(peer, 'publish');
      spend(peer);
      return media.createPlainTransport(frame);
    case 'produce':
      requireStage(peer);
      spend(peer);
      return media.produce(frame);
    case 'producer.close':
      media.closeProducer(frame.producerId);
      return done;
    case 'producer.sizes':
      requireStage(peer);
      spend(peer);
      await media.tellSizes(frame);
      return done;
    case 'consume':
      requireCapability(peer, 'subscribe');
      return media.consume(frame);
    case 'consumer.resume':
      await media.resumeConsumers(frame.consumerIds);
      return done;
    case 'consumer.pause':
      await media.pauseConsumers(frame.consumerIds);
      return done;
    case 'consumer.layers':
      await media.preferLayers(frame);
      return done;
    case 'tap.open':
      requireNode(peer, 'tap');
      spend(peer);
      return media.openTap(frame);
    case 'tap.keyframe':
      requireNode(peer, 'tap');
      media.requestTapKeyframe();
      return done;
    case 'pipe.open':
      requireNode(peer, 'pipe');
      spend(peer);
      return media.openPipe(frame);
    case 'pipe.consume':
      requireNode(peer, 'pipe');
      return media.consumePipe();
    case 'pipe.layers':
      requireNode(peer, 'pipe');
      media.wantPipeLayer(frame);
      return done;
    case 'quality.report':
      requireCapability(peer, 'subscribe');
      peer.quality.take(frame);
      return done;
    case 'ping':
      return done;
    default:
      return assertNever(frame);
  }
}

function requireCapability(peer: Peer, capability: Capability): void {
  if (!peer.can(capability)) {
    throw refusal('forbidden', `the ticket does not allow to ${capability}`);
  }
}

function requireStage(peer: Peer): void {
  if (!peer.isOnStage) throw refusal('forbidden', 'the ticket does not allow to publish');
}

/** For requests that make the worker build something, or are told to the whole room. */
function spend(peer: Peer): void {
  if (!peer.building.take())
    throw refusal('rate-limited', 'too much is asked of the worker or the room');
}

function requireNode(peer: Peer, use: NodeTicket['use']): void {
  if (peer.nodeUse !== use) throw refusal('forbidden', `the ticket does not allow to ${use}`);
}
