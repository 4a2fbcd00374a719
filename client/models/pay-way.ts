// Ways to pay: the gateway's own window, a UPI app on this device, or a code for one on another.
import { effect, signal } from '@preact/signals';
import type { DeviceStorage } from './storage.ts';

export const payWays = ['gateway', 'upi-app', 'upi-scan'] as const;
export type PayWay = (typeof payWays)[number];

export const payWayKey = 'livepanty.pay-way';
/** Phones are no wider than this on their short side, in CSS pixels. */
const phoneSideMax = 540;

type UserAgentData = { mobile?: boolean };
export type DeviceSigns = Pick<Window, 'matchMedia' | 'screen'> & {
  navigator: { userAgentData?: UserAgentData };
};

/** True on what is probably a phone: the browser says so, or it is small and touched with fingers. */
export function isPhone(device: DeviceSigns): boolean {
  const { mobile } = device.navigator.userAgentData ?? {};
  if (mobile !== undefined) return mobile;
  const side = Math.min(device.screen.width, device.screen.height);
  return device.matchMedia('(pointer: coarse)').matches && side <= phoneSideMax;
}

/** What somebody chose on this device before, or what suits the device. */
export function createPayWay(storage: Pick<DeviceStorage, 'getItem' | 'setItem'>, phone: boolean) {
  const stored = payWays.find((way) => way === storage.getItem(payWayKey));
  const way = signal<PayWay>(stored ?? (phone ? 'upi-app' : 'gateway'));
  let isChosen = false;
  effect(() => {
    const chosen = way.value;
    if (isChosen) storage.setItem(payWayKey, chosen);
    isChosen = true;
  });
  return way;
}
