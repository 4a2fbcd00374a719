// The media device: what this browser can send and receive, matched with what the room's router can.
import { Device, detectDevice, type types } from 'mediasoup-client';
import { Chrome111 } from 'mediasoup-client/handlers/Chrome111';
import { Firefox120 } from 'mediasoup-client/handlers/Firefox120';
import { Safari12 } from 'mediasoup-client/handlers/Safari12';
import type { RoomSocket } from './room-socket.ts';

export type { types };

type HandlerFactory = types.HandlerFactory;
type Direction = 'sendonly' | 'recvonly';

const handlers = { Chrome111, Firefox120, Safari12 };

/** Asks the browser once for each direction: the answer costs tens of milliseconds and never changes. */
function remembering(factory: HandlerFactory): HandlerFactory {
  const known = new Map<Direction, Promise<types.RtpCapabilities>>();
  return {
    ...factory,
    getNativeRtpCapabilities({ direction }) {
      const asked = known.get(direction) ?? factory.getNativeRtpCapabilities({ direction });
      known.set(direction, asked);
      asked.catch(() => known.delete(direction));
      return asked;
    },
  };
}

let handlerFactory: HandlerFactory | null = null;

function newDevice(): Device {
  const name = detectDevice();
  if (name !== 'Chrome111' && name !== 'Firefox120' && name !== 'Safari12') return new Device();
  handlerFactory ??= remembering(handlers[name].createFactory({}));
  return new Device({ handlerFactory });
}

/** Asks the browser what it can do while something else is still waited for. */
export function warmUp(): void {
  newDevice();
  for (const direction of ['recvonly', 'sendonly'] as const) {
    handlerFactory?.getNativeRtpCapabilities({ direction }).catch(() => {
      // Asked again, and reported, when a device is loaded.
    });
  }
}

/** A device that knows the router of the room; rejects where the browser has no usable WebRTC. */
export async function loadDevice(socket: RoomSocket): Promise<Device> {
  const device = newDevice();
  await device.load({
    routerRtpCapabilities: asLibrary<types.RtpCapabilities>(socket.joined.routerRtpCapabilities),
  });
  return device;
}

/** A transport of one direction, wired so that its handshake goes over the room socket. */
export async function createTransport(
  socket: RoomSocket,
  device: Promise<Device>,
  direction: 'send' | 'receive',
): Promise<types.Transport> {
  // The room makes its side while the browser still loads the device.
  const [data, loaded] = await Promise.all([socket.createTransport(direction), device]);
  const options: types.TransportOptions = {
    id: data.transportId,
    iceParameters: asLibrary<types.IceParameters>(data.iceParameters),
    iceCandidates: asLibrary<types.IceCandidate[]>(data.iceCandidates),
    dtlsParameters: asLibrary<types.DtlsParameters>(data.dtlsParameters),
  };
  const transport =
    direction === 'send'
      ? loaded.createSendTransport(options)
      : loaded.createRecvTransport(options);
  transport.on('connect', ({ dtlsParameters }, done, fail) => {
    socket
      .request('transport.connect', { transportId: transport.id, dtlsParameters })
      .then(() => done(), fail);
  });
  return transport;
}

/** The frames hold the library's own objects only by their outer shape; the library checks them. */
export function asLibrary<T>(opaque: object): T {
  return opaque as T;
}
