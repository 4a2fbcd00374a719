// Passkeys: asking the browser to make one or to sign with one, and what to say when it does not.
import type { z } from 'zod';
import type { NewPasskeyBody, PasskeyAnswerBody } from '#contract';
import { hasCode, messageOf, ToldError } from './api-error.ts';
import { CreationOptions, RequestOptions } from './passkey-options.ts';

type NewCredential = z.infer<typeof NewPasskeyBody>['credential'];
type Signed = z.infer<typeof PasskeyAnswerBody>['credential'];
/** As the edge has sent them. */
type Options = { challenge: string };

/** Nobody has signed: it was cancelled, something else took its place, or the time ran out. */
export class PasskeyCancelled extends ToldError {
  override readonly name = 'PasskeyCancelled';
}

export type Passkeys = {
  /** Whether this browser has passkeys, at this address. */
  isSupported: boolean;
  /** Whether the browser offers passkeys among what it fills in. */
  canFillIn(): Promise<boolean>;
  /** Throws `PasskeyCancelled`, and `ToldError` for everything else. */
  make(options: Options): Promise<NewCredential>;
  /** Throws as `make` does; a later call takes the place of one that waits. */
  sign(options: Options, how?: { fillIn: boolean }): Promise<Signed>;
  /** Ends what waits for the person. */
  cancel(): void;
};

type Library = Pick<
  typeof import('@simplewebauthn/browser'),
  'startRegistration' | 'startAuthentication'
> & { WebAuthnAbortService: { cancelCeremony(): void } };

type PasskeyBrowser = {
  location: Pick<Location, 'hostname'>;
  PublicKeyCredential?: { isConditionalMediationAvailable?(): Promise<boolean> } | undefined;
};

/** A passkey belongs to a name, and an address of numbers is none (WebAuthn, 5.1.3). */
const isName = (hostname: string): boolean => !/^(\d+(\.\d+){3}|\[.*\])$/.test(hostname);

/** None is asked for, and what a browser says of some by itself nobody reads. */
const noExtensions = { clientExtensionResults: {} };

const wordsOfFault: Readonly<Record<string, string>> = {
  InvalidStateError: 'There is a passkey of this account on this device already.',
  NotSupportedError: 'This device cannot keep a passkey. Try another one.',
  ConstraintError: 'This device cannot keep a passkey. It needs a PIN, a finger or a face.',
  SecurityError: 'The browser takes no passkey at this address.',
};

const tooLateWords = 'That took too long. Use your passkey once more.';

/** What is said of an act with a passkey that failed, here or at the edge. */
export function passkeyWordsOf(error: unknown): string {
  // What ends so soon is the question to sign, and not the session.
  return hasCode(error, 'session-expired') ? tooLateWords : messageOf(error);
}

function faultOf(error: unknown): ToldError {
  const name = error instanceof Error ? error.name : '';
  if (name === 'NotAllowedError' || name === 'AbortError') {
    return new PasskeyCancelled('No passkey was used: it was cancelled, or the time ran out.');
  }
  return new ToldError(
    wordsOfFault[name] ?? 'The browser could not use a passkey. Try again, or go another way.',
  );
}

export function createPasskeys(
  browser: PasskeyBrowser,
  fetchLibrary: () => Promise<Library> = () => import('@simplewebauthn/browser'),
): Passkeys {
  const isSupported =
    browser.PublicKeyCredential !== undefined && isName(browser.location.hostname);
  let cancel = (): void => {};

  async function ask<T>(asking: (library: Library) => Promise<T>): Promise<T> {
    try {
      const library = await fetchLibrary();
      cancel = () => library.WebAuthnAbortService.cancelCeremony();
      return await asking(library);
    } catch (error) {
      throw faultOf(error);
    }
  }

  return {
    isSupported,
    async canFillIn() {
      if (!isSupported) return false;
      // Known without the library, which is fetched where there is something to offer.
      const asked = browser.PublicKeyCredential?.isConditionalMediationAvailable?.();
      return (await asked?.catch(() => false)) ?? false;
    },
    make: (options) =>
      ask(async (library) => ({
        ...(await library.startRegistration({ optionsJSON: CreationOptions.parse(options) })),
        ...noExtensions,
      })),
    sign: (options, { fillIn } = { fillIn: false }) =>
      ask(async (library) => ({
        ...(await library.startAuthentication({
          optionsJSON: RequestOptions.parse(options),
          useBrowserAutofill: fillIn,
        })),
        ...noExtensions,
      })),
    cancel: () => cancel(),
  };
}
