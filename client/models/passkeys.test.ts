import { expect, test } from 'vitest';
import { ToldError } from './api-error.ts';
import { createPasskeys, PasskeyCancelled } from './passkeys.ts';

type Browser = Parameters<typeof createPasskeys>[0];

const fillsIn = { isConditionalMediationAvailable: async () => true };
const browserAt = (
  hostname: string,
  PublicKeyCredential: Browser['PublicKeyCredential'] = fillsIn,
): Browser => ({ location: { hostname }, PublicKeyCredential });

type Library = Awaited<ReturnType<NonNullable<Parameters<typeof createPasskeys>[1]>>>;
type Asked = Parameters<Library['startAuthentication']>[0];

function createLibrary(error?: Error) {
  const asked: Asked[] = [];
  let fetches = 0;
  const library: Library = {
    async startAuthentication(options) {
      asked.push(options);
      if (error) throw error;
      return {
        id: 'a',
        rawId: 'a',
        type: 'public-key',
        clientExtensionResults: { appid: true },
        response: { clientDataJSON: 'b', authenticatorData: 'c', signature: 'd' },
      };
    },
    async startRegistration() {
      throw error ?? new Error('not prepared');
    },
    WebAuthnAbortService: { cancelCeremony: () => {} },
  };
  return {
    asked,
    fetches: () => fetches,
    async fetch() {
      fetches += 1;
      return library;
    },
  };
}

const named = (name: string) => Object.assign(new Error('x'), { name });

test('passkeys need a browser that has them and an address with a name', () => {
  const isSupported = (...at: Parameters<typeof browserAt>) =>
    createPasskeys(browserAt(...at), createLibrary().fetch).isSupported;
  expect(isSupported('live.example')).toBe(true);
  expect(isSupported('localhost')).toBe(true);
  expect(isSupported('127.0.0.1')).toBe(false);
  expect(isSupported('[::1]')).toBe(false);
  const without = { location: { hostname: 'live.example' } };
  expect(createPasskeys(without, createLibrary().fetch).isSupported).toBe(false);
});

test('the library is fetched when a passkey is used, and not where there can be none', async () => {
  const library = createLibrary();
  const here = createPasskeys(browserAt('live.example'), library.fetch);
  expect(library.fetches()).toBe(0);
  expect(await here.canFillIn()).toBe(true);
  expect(await createPasskeys(browserAt('127.0.0.1'), library.fetch).canFillIn()).toBe(false);
  expect(await createPasskeys(browserAt('live.example', {}), library.fetch).canFillIn()).toBe(
    false,
  );
  expect(library.fetches()).toBe(0);
  await here.sign({ challenge: 'AAAA' });
  expect(library.fetches()).toBe(1);
});

test('the browser gets what the edge asks, and the edge what it has asked for', async () => {
  const library = createLibrary();
  const passkeys = createPasskeys(browserAt('live.example'), library.fetch);
  const options = {
    challenge: 'AAAA',
    rpId: 'live.example',
    userVerification: 'required',
    allowCredentials: [{ id: 'k', type: 'public-key', transports: ['internal', 'telepathy'] }],
    extensions: { unheard: true },
  };
  const signed = await passkeys.sign(options, { fillIn: true });
  expect(library.asked).toEqual([
    {
      useBrowserAutofill: true,
      optionsJSON: {
        challenge: 'AAAA',
        rpId: 'live.example',
        userVerification: 'required',
        allowCredentials: [{ id: 'k', type: 'public-key', transports: ['internal'] }],
      },
    },
  ]);
  expect(signed.clientExtensionResults).toEqual({});
});

test('each failure is told in words, and a cancelled one is known as such', async () => {
  const creation = {
    challenge: 'AAAA',
    rp: { name: 'LivePanty' },
    user: { id: 'u', name: 'ann', displayName: '' },
    pubKeyCredParams: [{ type: 'public-key', alg: -7 }],
  };
  async function failed(name: string): Promise<unknown> {
    const passkeys = createPasskeys(browserAt('live.example'), createLibrary(named(name)).fetch);
    return passkeys.make(creation).catch((error: unknown) => error);
  }
  expect(await failed('NotAllowedError')).toBeInstanceOf(PasskeyCancelled);
  expect(await failed('AbortError')).toBeInstanceOf(PasskeyCancelled);
  for (const [name, words] of [
    ['InvalidStateError', /on this device already/],
    ['NotSupportedError', /cannot keep a passkey/],
    ['ConstraintError', /a PIN, a finger or a face/],
    ['SecurityError', /at this address/],
    ['SomethingElse', /Try again/],
  ] as const) {
    const fault = await failed(name);
    expect(fault).toBeInstanceOf(ToldError);
    expect(fault).not.toBeInstanceOf(PasskeyCancelled);
    expect(fault).toHaveProperty('message', expect.stringMatching(words));
  }
});

test('a library that does not come is told as a failure, too', async () => {
  const passkeys = createPasskeys(browserAt('live.example'), () =>
    Promise.reject(new Error('offline')),
  );
  await expect(passkeys.sign({ challenge: 'AAAA' })).rejects.toBeInstanceOf(ToldError);
});
