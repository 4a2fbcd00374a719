// RTP packets (RFC 3550): reading the fixed header, and telling RTP from RTCP on one port.

export interface RtpPacket {
  marker: boolean;
  payloadType: number;
  /** 16 bits, wraps. */
  sequence: number;
  /** 32 bits, wraps. */
  timestamp: number;
  ssrc: number;
  /** A view into the datagram, without padding. */
  payload: Buffer;
}

const fixedHeaderBytes = 12;

/** True for datagrams that are RTCP where RTP and RTCP share a port (RFC 5761, section 4). */
export function isRtcp(datagram: Buffer): boolean {
  const type = datagram[1] ?? 0;
  return type >= 192 && type <= 223;
}

/** Reads a packet; null when the datagram is not RTP. */
export function readRtp(datagram: Buffer): RtpPacket | null {
  const first = datagram[0];
  const second = datagram[1];
  if (first === undefined || second === undefined) return null;
  if (datagram.length < fixedHeaderBytes || first >> 6 !== 2) return null;
  let start = fixedHeaderBytes + (first & 0xf) * 4;
  if (first & 0x10) {
    if (datagram.length < start + 4) return null;
    start += 4 + datagram.readUInt16BE(start + 2) * 4;
  }
  let end = datagram.length;
  if (first & 0x20) end -= datagram[end - 1] ?? 0;
  if (start > end) return null;
  return {
    marker: (second & 0x80) !== 0,
    payloadType: second & 0x7f,
    sequence: datagram.readUInt16BE(2),
    timestamp: datagram.readUInt32BE(4),
    ssrc: datagram.readUInt32BE(8),
    payload: datagram.subarray(start, end),
  };
}
