// The loopback addresses of this machine: IPv6 is missing in some containers.
import { networkInterfaces } from 'node:os';

/** Whether something can listen on `::1`. */
export const hasIpv6Loopback = Object.values(networkInterfaces()).some((addresses) =>
  addresses?.some(({ address }) => address === '::1'),
);
