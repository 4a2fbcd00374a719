// The app: the models that every page shares, built once from what the browser offers.

import type { Exclusive } from './access-token.ts';
import { createApi, createAuthApi, type Fetch } from './api.ts';
import type { Clock } from './clock.ts';
import { createFileSaver } from './file-saver.ts';
import { createCheckoutLoader } from './gateway-script.ts';
import { createHeadStart } from './head-start.ts';
import { createLiveBalance, type WalletNews } from './live-balance.ts';
import { createPayWay, type DeviceSigns, isPhone } from './pay-way.ts';
import { createPictureQuality } from './picture-quality.ts';
import { createPreferred } from './preferred.ts';
import { createRouter } from './router.ts';
import { createSession, type TabNews } from './session.ts';
import { createStepUp } from './step-up.ts';
import { storageOf } from './storage.ts';
import { createTheme } from './theme.ts';
import { createToasts } from './toasts.ts';
import type { Sight } from './viewing.ts';
import { createWallet } from './wallet.ts';

const hintKey = 'livepanty.session';
const lockName = 'livepanty-session';
const walletChannelName = 'livepanty-wallet';

/** One tab at a time, where the browser can tell tabs apart. */
function createExclusive(locks: LockManager | undefined): Exclusive {
  return (work) => (locks ? locks.request(lockName, work) : work());
}

function createTabNews(): TabNews {
  const channel = new BroadcastChannel(lockName);
  return {
    tell: (news) => channel.postMessage(news),
    listen(hear) {
      channel.addEventListener('message', ({ data }) => {
        if (data === 'logged-in' || data === 'logged-out') hear(data);
      });
    },
  };
}

function createWalletNews(): WalletNews {
  const channel = new BroadcastChannel(walletChannelName);
  return {
    tell: () => channel.postMessage('moved'),
    listen: (hear) => channel.addEventListener('message', hear),
  };
}

/** Whether the device asks pages for little traffic; not every browser tells. */
function savesData(navigator: Navigator & { connection?: { saveData?: boolean } }): boolean {
  return navigator.connection?.saveData === true;
}

/** Calls back when the network returns, or the page is looked at or taken up again. */
function wakesOf(browser: Window, document: Document) {
  return (act: () => void): (() => void) => {
    const life = new AbortController();
    const { signal } = life;
    browser.addEventListener('online', act, { signal });
    browser.addEventListener('focus', act, { signal });
    document.addEventListener(
      'visibilitychange',
      () => {
        if (document.visibilityState === 'visible') act();
      },
      { signal },
    );
    return () => life.abort();
  };
}

export function createApp(browser: Window & typeof globalThis, clock: Clock) {
  const { document, navigator } = browser;
  const storage = storageOf(browser);
  const fetch: Fetch = (url, init) => browser.fetch(url, init);
  const session = createSession({
    auth: createAuthApi(fetch),
    clock,
    exclusive: createExclusive(navigator.locks),
    news: createTabNews(),
    hint: {
      get: () => storage.getItem(hintKey) === '1',
      set: (present) => {
        if (present) storage.setItem(hintKey, '1');
        else storage.removeItem(hintKey);
      },
    },
  });
  const router = createRouter(browser);
  const stepUp = createStepUp({ url: router.url, user: session.user });
  const api = createApi(fetch, session.tokens, stepUp.prover);
  const sight: Sight = {
    isHidden: () => document.visibilityState === 'hidden',
    onChange(act) {
      document.addEventListener('visibilitychange', act);
      return () => document.removeEventListener('visibilitychange', act);
    },
  };
  const isLookedAt = (): boolean => document.visibilityState === 'visible';
  const onWake = wakesOf(browser, document);
  const wallet = createWallet({ api, session });
  const openWebSocket = (url: string): WebSocket => new WebSocket(url);

  return {
    clock,
    session,
    api,
    wallet,
    liveBalance: createLiveBalance({ wallet, clock, news: createWalletNews(), isLookedAt, onWake }),
    toasts: createToasts(clock),
    theme: createTheme(storage, document.documentElement),
    preferred: createPreferred({ storage, root: document.documentElement, user: session.user }),
    pictureQuality: createPictureQuality(storage, savesData(navigator)),
    sight,
    router,
    stepUp,
    payWay: createPayWay(storage, isPhone(browser as DeviceSigns)),
    loadCheckout: createCheckoutLoader(browser),
    saveFile: createFileSaver(browser),
    newKey: (): string => browser.crypto.randomUUID(),
    openWebSocket,
    headStart: createHeadStart({
      grant: (streamId) => api.streams.ticket(streamId, { intent: 'watch' }),
      openWebSocket,
      clock,
    }),
    isLookedAt,
    onWake,
  };
}
export type App = ReturnType<typeof createApp>;
