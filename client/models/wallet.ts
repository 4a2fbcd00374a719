// The wallet: the balance that every part of the page shows, and tokens held by tips on their way.
import { computed, signal } from '@preact/signals';
import type { Api } from './api.ts';
import type { SessionModel } from './session.ts';

/** Tokens set aside for one act that the edge has not answered yet. */
export type Hold = {
  /** The act was carried out: the edge says what is left. */
  commit(balanceTokens: number): void;
  /** The act was refused: the tokens are back. */
  release(): void;
};

export type WalletDeps = {
  api: { wallet: Pick<Api['wallet'], 'read'> };
  session: Pick<SessionModel, 'user'>;
};

export function createWallet({ api, session }: WalletDeps) {
  const confirmedTokens = signal<number | null>(null);
  const heldTokens = signal(0);
  const acts = signal(0);
  let version = 0;
  let newestLook = 0;

  async function refresh(): Promise<void> {
    version += 1;
    const mine = version;
    const { balanceTokens } = await api.wallet.read();
    // A newer answer, or a log-out, has overtaken this one.
    if (mine === version) confirmedTokens.value = balanceTokens;
  }

  async function look(): Promise<void> {
    // Nobody knows whether an answer counts a tip that is on its way; the tip's own answer does.
    const isSure = () => userId !== undefined && heldTokens.peek() === 0;
    if (!isSure()) return;
    newestLook += 1;
    const [mine, seen] = [newestLook, version];
    const { balanceTokens } = await api.wallet.read();
    if (mine === newestLook && seen === version && isSure()) confirmedTokens.value = balanceTokens;
  }

  function confirm(balanceTokens: number): void {
    version += 1;
    confirmedTokens.value = balanceTokens;
    acts.value += 1;
  }

  let userId: string | undefined;
  session.user.subscribe((user) => {
    if (user?.id === userId) return;
    userId = user?.id;
    version += 1;
    confirmedTokens.value = null;
    heldTokens.value = 0;
    // Pages that need the balance show the failure themselves and offer to try again.
    if (user) refresh().catch(() => {});
  });

  return {
    /** What can be spent now; null while unknown or for a guest. */
    balanceTokens: computed(() =>
      confirmedTokens.value === null ? null : confirmedTokens.value - heldTokens.value,
    ),
    /** How often something done on this page has moved the balance. */
    acts,
    refresh,
    /** Sees whether the balance has moved elsewhere; leaves it alone while tips are on their way. */
    look,
    confirm,
    hold(amountTokens: number): Hold {
      heldTokens.value = heldTokens.peek() + amountTokens;
      let open = true;
      function end(): boolean {
        if (!open) return false;
        open = false;
        heldTokens.value = Math.max(0, heldTokens.peek() - amountTokens);
        return true;
      }
      return {
        commit(balanceTokens) {
          if (end()) confirm(balanceTokens);
        },
        release: () => void end(),
      };
    },
  };
}
export type WalletModel = ReturnType<typeof createWallet>;
