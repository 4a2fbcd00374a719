// The security page's model: second factors, passkeys and devices of whoever is logged in.
import type { z } from 'zod';
import type { Factors } from '#contract';
import type { App } from './app.ts';
import { createAuthenticator } from './authenticator.ts';
import { createDevices } from './devices.ts';
import { createLoaded } from './load.ts';
import { createPasskeyList } from './passkey-list.ts';
import type { Passkeys } from './passkeys.ts';
import { createSecurityApi } from './security-api.ts';

export function openSecurity({ api, session, saveFile }: App, passkeys: Passkeys) {
  const security = createSecurityApi(api.request);
  const { accept } = session;
  const factors = createLoaded<z.infer<typeof Factors>>(security.factors);
  const devices = createDevices({ security });
  const passkeyList = createPasskeyList({
    security,
    passkeys,
    factors,
    accept,
    deviceName: () => devices.current.peek()?.device ?? '',
  });
  for (const loaded of [factors, devices.list, passkeyList.list]) void loaded.load();
  return {
    factors,
    devices,
    passkeys: passkeyList,
    authenticator: createAuthenticator({ security, factors, accept, saveFile }),
    close: passkeyList.close,
  };
}
export type SecurityPageModel = ReturnType<typeof openSecurity>;
