// The paths that media takes in a page: what it may use, forced before the page is there, and what it has used.
import type { BrowserContext, Page } from 'playwright';
import type { IceServer } from '#contract';

export interface PathRules {
  /** Nothing but relays, as behind a firewall that lets through what goes to them alone. */
  relayOnly?: boolean;
  /** Of the relays only those that are reached like this, or none. */
  relaysOver?: 'udp' | 'tcp' | 'tls' | 'none';
  /** Instead of the credentials that came with the ticket. */
  credentials?: Pick<IceServer, 'username' | 'credential'>;
  /** Of the SFU's candidates only those over this protocol. */
  protocol?: 'udp' | 'tcp';
  /** What is sent to the SFU over UDP goes to this port instead, as with a firewall that swallows it. */
  udpVanishesAt?: number;
  /** Of the SFU's candidates only those with this address. */
  address?: string;
}

/** One connection of a page, as its statistics say. */
export interface UsedPath {
  /** How the browser goes: `host` directly, `relay` through a relay. */
  way: string;
  /** How a relay is reached; null without one. */
  relayProtocol: string | null;
  /** The SFU's end. */
  protocol: string;
  address: string;
}

/** What the rules leave in the page. */
interface Watched {
  connections: RTCPeerConnection[];
  relayErrors: number[];
}

/** Every page of this context keeps to the rules from its next load on. */
export async function forcePaths(context: BrowserContext, rules: PathRules): Promise<void> {
  await context.addInitScript((rules) => {
    const watched: Watched = { connections: [], relayErrors: [] };
    Reflect.set(window, 'watchedPaths', watched);
    const Native = window.RTCPeerConnection;

    const wanted = {
      udp: /^turn:.*transport=udp$/,
      tcp: /^turn:.*transport=tcp$/,
      tls: /^turns:/,
      none: /^$/,
      any: /^/,
    }[rules.relaysOver ?? 'any'];
    const rulesFor = (configuration: RTCConfiguration): RTCConfiguration => ({
      ...configuration,
      ...(rules.relayOnly ? { iceTransportPolicy: 'relay' } : {}),
      // An empty list of addresses would be a fault.
      iceServers: (configuration.iceServers ?? []).flatMap((server) => {
        const urls = [server.urls].flat().filter((url) => wanted.test(url));
        return urls.length === 0 ? [] : [{ ...server, ...rules.credentials, urls }];
      }),
    });
    // a=candidate:<foundation> <component> <protocol> <priority> <address> <port> ... (RFC 8839)
    const throughFirewall = (line: string) => {
      if (!line.startsWith('a=candidate:')) return [line];
      const fields = line.split(' ');
      const [, , protocol, , address] = fields;
      if (rules.protocol && protocol !== rules.protocol) return [];
      if (rules.address && address !== rules.address) return [];
      if (rules.udpVanishesAt && protocol === 'udp') fields[5] = String(rules.udpVanishesAt);
      return [fields.join(' ')];
    };

    class Ruled extends Native {
      constructor(configuration: RTCConfiguration = {}) {
        super(rulesFor(configuration));
        watched.connections.push(this);
        this.addEventListener('icecandidateerror', ({ errorCode }) => {
          watched.relayErrors.push(errorCode);
        });
      }

      override setConfiguration(configuration: RTCConfiguration = {}): void {
        super.setConfiguration(rulesFor(configuration));
      }

      override async setRemoteDescription(description: RTCSessionDescriptionInit): Promise<void> {
        const lines = (description.sdp ?? '').split('\r\n').flatMap(throughFirewall);
        await super.setRemoteDescription({ ...description, sdp: lines.join('\r\n') });
      }
    }
    window.RTCPeerConnection = Ruled;
  }, rules);
}

/** The paths of the connections that are up. The page must keep to rules. */
export async function usedPaths(page: Page): Promise<UsedPath[]> {
  return page.evaluate(async () => {
    const { connections } = Reflect.get(window, 'watchedPaths') as Watched;
    const paths: UsedPath[] = [];
    for (const connection of connections) {
      if (connection.connectionState !== 'connected') continue;
      const stats = (await connection.getStats()) as ReadonlyMap<string, Record<string, unknown>>;
      for (const transport of stats.values()) {
        const pair = stats.get(String(transport.selectedCandidatePairId));
        if (transport.type !== 'transport' || !pair) continue;
        const local = stats.get(String(pair.localCandidateId));
        const remote = stats.get(String(pair.remoteCandidateId));
        paths.push({
          way: String(local?.candidateType),
          relayProtocol: local?.relayProtocol === undefined ? null : String(local.relayProtocol),
          protocol: String(remote?.protocol),
          address: String(remote?.address),
        });
      }
    }
    return paths;
  });
}

/** Resolves when a relay has refused the page with this code. */
export async function relayRefuses(page: Page, code: number, timeoutMs = 20_000): Promise<void> {
  await page.waitForFunction(
    (code) => (Reflect.get(window, 'watchedPaths') as Watched).relayErrors.includes(code),
    code,
    { timeout: timeoutMs },
  );
}
