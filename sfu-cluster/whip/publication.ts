// A publication: what an encoder sends by WHIP, as tracks of its room.
import type { Producer, WebRtcTransport } from 'mediasoup/types';
import { mediaCall } from '../media/faults.ts';
import { parseDtlsParameters, parseRtpParameters } from '../media/parameters.ts';
import { refusal } from '../refusals.ts';
import { publishFrom, type Seat } from '../seat.ts';
import { type AnswerSection, dtlsPartOf } from './answer.ts';
import type { Offer } from './description.ts';
import { findLayerOrder } from './layer-order.ts';
import { type PublishTerm, termsToPublish } from './publish-terms.ts';

/** One connection that an offer has made, and what the answer says of its sections. */
export interface Connection {
  transport: WebRtcTransport;
  taken: Map<string, AnswerSection>;
}

/** Tells the transport who is on the other side. */
export async function connect(transport: WebRtcTransport, offer: Offer): Promise<void> {
  const { algorithm, value } = offer.fingerprint;
  const role = dtlsPartOf(offer) === 'active' ? 'server' : 'client';
  const dtlsParameters = parseDtlsParameters({ role, fingerprints: [{ algorithm, value }] });
  await mediaCall('malformed-frame', () => transport.connect({ dtlsParameters }));
}

/**
 * Publishes all of the offer. Whoever sits there should leave when this throws; a picture in layers is published a
 * moment after it flows, and `failed` is called when it cannot be.
 */
export async function publish(
  seat: Seat,
  offer: Offer,
  failed: (error: unknown) => void,
): Promise<Connection> {
  const terms = termsToPublish(offer);
  const media = await mediaCall(null, () => seat.room.media());
  const transport = await mediaCall(null, () => media.openPublisherTransport('packets'));
  seat.link.once('close', () => transport.close());
  if (seat.link.closed) transport.close();
  await connect(transport, offer);
  for (const term of terms) {
    if (term.answer.layers.length < 2) await publishFrom(seat, transport, term);
    else await publishLayers(seat, transport, term, failed);
  }
  return { transport, taken: new Map(terms.map(({ answer }) => [answer.section.mid, answer])) };
}

/** The stage is taken at once, and what can go wrong with the offer goes wrong at once, too. */
async function publishLayers(
  seat: Seat,
  transport: WebRtcTransport,
  term: PublishTerm,
  failed: (error: unknown) => void,
): Promise<void> {
  const rtpParameters = parseRtpParameters(term.rtpParameters);
  if (seat.peer.leaving) throw refusal('unavailable', 'the connection was closed');
  seat.room.takeStage(seat.peer);
  // Nobody sees this one: it is there to look at what flows.
  const scout = await mediaCall('unsupported-media', () =>
    transport.produce({ kind: term.kind, rtpParameters }),
  );
  inOrder(seat, transport, term, scout).catch(failed);
}

async function inOrder(
  seat: Seat,
  transport: WebRtcTransport,
  term: PublishTerm,
  scout: Producer,
): Promise<void> {
  const media = await seat.room.media();
  const order = await findLayerOrder(media.home.router, scout, term.answer.layers);
  if (!order) return;
  const flowing = await scout.getStats();
  scout.close();
  // Senders name a layer in its first packets only, so from here on it is known by its number, too.
  const encodings = order.rids.map((rid) => {
    const { ssrc, rtxSsrc } = flowing.find((one) => one.rid === rid) ?? {};
    const given = term.rtpParameters.encodings.find((encoding) => encoding.rid === rid);
    return {
      ...given,
      ...(ssrc === undefined ? {} : { ssrc }),
      ...(rtxSsrc === undefined ? {} : { rtx: { ssrc: rtxSsrc } }),
    };
  });
  const { id } = await publishFrom(seat, transport, {
    ...term,
    rtpParameters: { ...term.rtpParameters, encodings },
  });
  const sizes = order.rids.map((rid) => order.sizes.get(rid)).filter((size) => size !== undefined);
  if (sizes.length === encodings.length) media.tellSizes(id, sizes);
}
