import { expect, test } from 'vitest';
import { createPayWay, type DeviceSigns, isPhone, payWayKey } from './pay-way.ts';

function device(signs: { mobile?: boolean; coarse: boolean; side: number }): DeviceSigns {
  const { mobile, coarse, side } = signs;
  return {
    navigator: mobile === undefined ? {} : { userAgentData: { mobile } },
    screen: { width: side, height: 2 * side } as Screen,
    matchMedia: () => ({ matches: coarse }) as MediaQueryList,
  };
}

test('a phone is what says so, or what is small and touched', () => {
  expect(isPhone(device({ mobile: true, coarse: false, side: 2_000 }))).toBe(true);
  expect(isPhone(device({ mobile: false, coarse: true, side: 390 }))).toBe(false);
  expect(isPhone(device({ coarse: true, side: 390 }))).toBe(true);
  expect(isPhone(device({ coarse: true, side: 820 }))).toBe(false);
  expect(isPhone(device({ coarse: false, side: 390 }))).toBe(false);
});

test('the way to pay suits the device until somebody chooses another, which is remembered', () => {
  const kept = new Map<string, string>();
  const storage = {
    getItem: (key: string) => kept.get(key) ?? null,
    setItem: (key: string, value: string) => void kept.set(key, value),
  };
  expect(createPayWay(storage, true).value).toBe('upi-app');
  const way = createPayWay(storage, false);
  expect(way.value).toBe('gateway');
  expect(kept.size).toBe(0);
  way.value = 'upi-scan';
  expect(kept.get(payWayKey)).toBe('upi-scan');
  const later = createPayWay(storage, false);
  expect(later.value).toBe('upi-scan');
  later.value = 'gateway';
  expect(createPayWay(storage, true).value).toBe('gateway');
});
