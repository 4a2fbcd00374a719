// Devices: where somebody is logged in, and logging out there.
import { computed, signal } from '@preact/signals';
import type { z } from 'zod';
import type { DeviceList } from '#contract';
import { createAct } from './act.ts';
import { createLoaded } from './load.ts';
import type { SecurityApi } from './security-api.ts';

export type SeenDevice = z.infer<typeof DeviceList>['devices'][number];

export type DevicesDeps = {
  security: Pick<SecurityApi, 'devices' | 'endDevice' | 'endOtherDevices'>;
};

const words: Readonly<Record<string, string>> = {
  password: 'password',
  totp: 'code of the app',
  'recovery-code': 'recovery code',
  passkey: 'passkey',
};

/** How somebody logged in, as in "password and passkey". */
export function methodWords(methods: readonly string[]): string {
  return methods.map((method) => words[method] ?? method).join(' and ');
}

export function createDevices({ security }: DevicesDeps) {
  const list = createLoaded<SeenDevice[]>(async () => (await security.devices()).devices);
  /** The one that is being logged out. */
  const ending = signal<string | null>(null);

  function keep(isKept: (device: SeenDevice) => boolean): void {
    list.value.value = list.value.peek()?.filter(isKept) ?? null;
  }

  const end = createAct(async (id: string) => {
    ending.value = id;
    try {
      await security.endDevice(id);
      keep((device) => device.id !== id);
    } finally {
      ending.value = null;
    }
  });

  return {
    list,
    ending,
    end,
    endOthers: createAct(async () => {
      await security.endOtherDevices();
      keep(({ current }) => current);
    }),
    current: computed(() => list.value.value?.find(({ current }) => current) ?? null),
    hasOthers: computed(() => list.value.value?.some(({ current }) => !current) ?? false),
  };
}
export type DevicesModel = ReturnType<typeof createDevices>;
