// RTCP sender reports (RFC 3550, section 6.4.1): which instant of the sender's clock an RTP timestamp means.

export interface SenderReport {
  ssrc: number;
  /** The sender's clock, in milliseconds of the Unix epoch. */
  ntpMs: number;
  /** The RTP timestamp (32 bits) of the same instant. */
  rtpTimestamp: number;
}

const typeSenderReport = 200;
const senderReportBytes = 28;
const ntpEpochOffsetSeconds = 2_208_988_800;

/** The sender reports in a compound packet; malformed rests are ignored. */
export function readSenderReports(datagram: Buffer): SenderReport[] {
  const reports: SenderReport[] = [];
  let at = 0;
  while (at + 4 <= datagram.length) {
    const bytes = (datagram.readUInt16BE(at + 2) + 1) * 4;
    const end = at + bytes;
    if (end > datagram.length) break;
    if (datagram.readUInt8(at + 1) === typeSenderReport && bytes >= senderReportBytes) {
      const seconds = datagram.readUInt32BE(at + 8) - ntpEpochOffsetSeconds;
      const fraction = datagram.readUInt32BE(at + 12) / 2 ** 32;
      reports.push({
        ssrc: datagram.readUInt32BE(at + 4),
        ntpMs: (seconds + fraction) * 1_000,
        rtpTimestamp: datagram.readUInt32BE(at + 16),
      });
    }
    at = end;
  }
  return reports;
}
