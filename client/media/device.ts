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

/**
 * A device of ours only sends or only receives, so the browser is asked about that direction alone,
 * and once: the answer costs tens of milliseconds and never changes.
 */
function createFactory(name: keyof typeof handlers, direction: Direction): HandlerFactory {
  const factory = handlers[name].createFactory({});
  let known: Promise<types.RtpCapabilities> | null = null;
  return {
    ...factory,
    getNativeRtpCapabilities() {
      known ??= factory.getNativeRtpCapabilities({ direction }).catch((error: unknown) => {
        known = null;
        throw error;
      });
      return known;
    },
  };
}

const factories = new Map<Direction, HandlerFactory>();

function factoryOf(direction: Direction): HandlerFactory | undefined {
  const name = detectDevice();
  if (name !== 'Chrome111' && name !== 'Firefox120' && name !== 'Safari12') return undefined;
  const factory = factories.get(direction) ?? createFactory(name, direction);
  factories.set(direction, factory);
  return factory;
}

/** Asks the browser what it can receive while something else is still waited for. */
export function warmUp(): void {
  factoryOf('recvonly')
    ?.getNativeRtpCapabilities({ direction: 'recvonly' })
    .catch(() => {
      // Asked again, and reported, when a device is loaded.
    });
}

/** A device that knows the router of the room; rejects where the browser has no usable WebRTC. */
export async function loadDevice(socket: RoomSocket, direction: Direction): Promise<Device> {
  const handlerFactory = factoryOf(direction);
  const device = handlerFactory ? new Device({ handlerFactory }) : new Device();
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
    // Relays beside every direct way, over UDP or TCP; the browser takes the best that is open.
    iceServers: relaysOf(socket),
    iceTransportPolicy: 'all',
  };
  const transport =
    direction === 'send'
      ? loaded.createSendTransport(options)
      : loaded.createRecvTransport(options);
  transport.on('connect', ({ dtlsParameters }, done) => {
    socket.request('transport.connect', { transportId: transport.id, dtlsParameters }).catch(() => {
      // Without its handshake nothing can come over this socket; the next one begins anew.
      socket.close();
    });
    // The request is on its way before the first packet of the browser: no need to wait for its answer.
    done();
  });
  return transport;
}

/** The relays that came with the newest ticket, as a list of the browser's own. */
export function relaysOf(socket: RoomSocket): RTCIceServer[] {
  return [...socket.iceServers];
}

/** The frames hold the library's own objects only by their outer shape; the library checks them. */
export function asLibrary<T>(opaque: object): T {
  return opaque as T;
}
