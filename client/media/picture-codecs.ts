// Picture codecs: which of them a performer may choose here, and how one encoder sends several layers.

/** `compatible` is H264, or VP8 where the browser encodes no H264. */
export const pictureCodecs = ['compatible', 'VP9', 'AV1'] as const;
export type PictureCodec = (typeof pictureCodecs)[number];

/** TypeScript does not know the mode yet (W3C webrtc-svc). */
export type SvcEncoding = RTCRtpEncodingParameters & { scalabilityMode?: string };

/** So many layers up to `top`, of which only keyframes refer to each other; each in three frame rates. */
export const svcMode = (top: number): string => (top === 0 ? 'L1T3' : `L${top + 1}T3_KEY`);

/** Whether encoders of this browser send layers inside one stream; Firefox leaves the wish out. */
function knowsSvc(): boolean {
  const connection = new RTCPeerConnection();
  try {
    const scalabilityMode = svcMode(2);
    const wanted: SvcEncoding = { scalabilityMode };
    const { sender } = connection.addTransceiver('video', { sendEncodings: [wanted] });
    const given: SvcEncoding | undefined = sender.getParameters().encodings[0];
    return given?.scalabilityMode === scalabilityMode;
  } catch {
    // How browsers refuse a mode that no codec of theirs has.
    return false;
  } finally {
    connection.close();
  }
}

/** What can be chosen here. */
export function sendableCodecs(): readonly PictureCodec[] {
  // Where somebody has switched WebRTC off, the publisher says so.
  if (typeof RTCPeerConnection === 'undefined') return ['compatible'];
  const known = RTCRtpSender.getCapabilities('video')?.codecs ?? [];
  const encodable = new Set(known.map(({ mimeType }) => mimeType.toLowerCase()));
  const hasSvc = knowsSvc();
  return pictureCodecs.filter(
    (codec) => codec === 'compatible' || (hasSvc && encodable.has(mimeTypeOf(codec))),
  );
}

export const mimeTypeOf = (codec: Exclude<PictureCodec, 'compatible'>): string =>
  `video/${codec.toLowerCase()}`;
