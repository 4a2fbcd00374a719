// A real Chromium for tests, with a fake camera and microphone.
import { type Browser, chromium } from 'playwright';

/** The system's, unless `CHROMIUM_BIN` names another one. */
export function chromiumBin(): string {
  return process.env.CHROMIUM_BIN ?? '/usr/bin/chromium';
}

/** Starts headless Chromium. */
export async function startBrowser(
  args: string[] = [],
  executablePath = chromiumBin(),
): Promise<Browser> {
  return chromium.launch({
    executablePath,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      '--use-fake-device-for-media-stream',
      '--use-fake-ui-for-media-stream',
      '--autoplay-policy=no-user-gesture-required',
      ...args,
    ],
  });
}
