// Layers: which a picture has, and what a wish for one of them means for it.
import { parseScalabilityMode } from 'mediasoup';
import type { Consumer, ConsumerLayers, Producer } from 'mediasoup/types';

/** No picture has more layers; who has no wish wants them all. */
export const layersMax = 3;

/** As the worker understands a wish, of which there may be more layers than the picture has; without one it takes all. */
export function clampLayers(
  { rtpParameters }: Consumer,
  { spatialLayer, temporalLayer = layersMax }: ConsumerLayers = { spatialLayer: layersMax },
): Required<ConsumerLayers> {
  const mode = parseScalabilityMode(rtpParameters.encodings?.[0]?.scalabilityMode);
  return {
    spatialLayer: Math.min(spatialLayer, mode.spatialLayers - 1),
    temporalLayer: Math.min(temporalLayer, mode.temporalLayers - 1),
  };
}

/** The highest layer of a picture, counted from zero: each a stream of its own, or all in one (SVC). */
export function topLayerOf({ kind, type, rtpParameters }: Producer): number {
  const { encodings = [] } = rtpParameters;
  if (kind !== 'video' || encodings.length === 0) return 0;
  if (type !== 'svc') return encodings.length - 1;
  return parseScalabilityMode(encodings[0]?.scalabilityMode).spatialLayers - 1;
}
