// The PROXY protocol, versions 1 and 2: what a TLS proxy writes before a connection, to say whose it is.
import type { Socket } from 'node:net';
import { parseAddress } from '#contract';

const signature = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1');
const fixedBytes = signature.length + 4;
const textStart = Buffer.from('PROXY ');
const textBytesMax = 107;
/** With what some proxies add: certificates' names and the like. */
const headerBytesMax = 2_048;
const textLine = /^PROXY (?:UNKNOWN(?: .*)?|TCP[46] (\S+) \S+ \d{1,5} \d{1,5})$/;
const command = { local: 0x20, proxy: 0x21 };
const family = { unknown: 0x00, tcp4: 0x11, tcp6: 0x21 };

export interface ProxyHeader {
  /** Null where the proxy speaks for itself, as its health checks do, or does not know. */
  address: string | null;
  length: number;
}

/** Null for one that has not come as a whole; throws for what is none. */
export function parseProxyHeader(bytes: Buffer): ProxyHeader | null {
  if (startsAs(signature, bytes)) return parseBinary(bytes);
  must(startsAs(textStart, bytes), 'this is no PROXY header');
  const length = bytes.subarray(0, textBytesMax).indexOf('\r\n');
  must(length >= 0 || bytes.length < textBytesMax, 'the PROXY header is too long');
  if (length < 0) return null;
  const line = textLine.exec(bytes.toString('latin1', 0, length));
  must(line !== null, 'the PROXY header is malformed');
  return { address: line[1] === undefined ? null : checked(line[1]), length: length + 2 };
}

function parseBinary(bytes: Buffer): ProxyHeader | null {
  if (bytes.length < fixedBytes) return null;
  const length = fixedBytes + bytes.readUInt16BE(fixedBytes - 2);
  must(length <= headerBytesMax, 'the PROXY header is too long');
  if (bytes.length < length) return null;
  const [does, from] = bytes.subarray(signature.length);
  if (does === command.local) return { address: null, length };
  must(does === command.proxy, 'the PROXY header is of no version that is known');
  const addresses = bytes.subarray(fixedBytes, length);
  if (from === family.unknown) return { address: null, length };
  if (from === family.tcp4 && addresses.length >= 12) {
    return { address: addresses.subarray(0, 4).join('.'), length };
  }
  must(from === family.tcp6 && addresses.length >= 36, 'the PROXY header has no address');
  const groups = addresses.toString('hex', 0, 16).match(/.{4}/g) ?? [];
  return { address: groups.join(':'), length };
}

/** Whether it begins so, as far as it has come. */
function startsAs(beginning: Buffer, bytes: Buffer): boolean {
  const length = Math.min(beginning.length, bytes.length);
  return beginning.subarray(0, length).equals(bytes.subarray(0, length));
}

function must(holds: boolean, fault: string): asserts holds {
  if (!holds) throw new Error(fault);
}

function checked(address: string): string {
  must(parseAddress(address) !== null, 'the PROXY header has no address');
  return address;
}

/** Reads it off a new connection, which is left paused; null as in the header. Rejects without one in time. */
export function readProxyHeader(socket: Socket, timeoutMs: number): Promise<string | null> {
  return new Promise((resolve, reject) => {
    let bytes = Buffer.alloc(0);
    const finish = (act: () => void) => {
      clearTimeout(timer);
      socket.off('data', hear).off('close', leave).pause();
      act();
    };
    const leave = () => finish(() => reject(new Error('the connection has ended')));
    const timer = setTimeout(leave, timeoutMs);
    const hear = (more: Buffer) => {
      bytes = Buffer.concat([bytes, more]);
      try {
        const header = parseProxyHeader(bytes);
        if (!header) return;
        finish(() => resolve(header.address));
        socket.unshift(bytes.subarray(header.length));
      } catch (error) {
        finish(() => reject(error));
      }
    };
    socket.on('data', hear).once('close', leave);
  });
}
