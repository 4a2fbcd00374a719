// Step-up: asking the person for a second factor where the edge wants one first; once for all requests that wait.
import { computed, type ReadonlySignal, signal } from '@preact/signals';
import type { Me } from '#contract';
import type { Prover } from './api.ts';

export type StepUpDeps = {
  /** Where the person is. */
  url: ReadonlySignal<URL>;
  user: ReadonlySignal<Me | null>;
};

export function createStepUp({ url, user }: StepUpDeps) {
  const isAsking = signal(false);
  const place = computed(() => `${user.value?.id} ${url.value.pathname}`);
  let asked: PromiseWithResolvers<boolean> | null = null;
  let wasDeclined = false;
  let proofs = 0;

  /** Opens the dialog, or waits with those for whom it is open. */
  function ask(): Promise<boolean> {
    asked ??= Promise.withResolvers<boolean>();
    isAsking.value = true;
    return asked.promise;
  }

  function settle(isShown: boolean): void {
    if (isShown) proofs += 1;
    wasDeclined = !isShown;
    isAsking.value = false;
    asked?.resolve(isShown);
    asked = null;
  }

  const prover: Prover = (method) => {
    const before = proofs;
    const isRead = method === 'GET' || method === 'HEAD';
    return () => {
      // One was shown while this request was under way.
      if (proofs > before) return Promise.resolve(true);
      // Who has declined is not asked again by a page that refreshes itself.
      if (isRead && wasDeclined && !asked) return Promise.resolve(false);
      return ask();
    };
  };

  // Somebody else, or elsewhere: what was asked is left, and may be asked anew.
  place.subscribe(() => {
    settle(false);
    wasDeclined = false;
  });

  return {
    isAsking: isAsking as ReadonlySignal<boolean>,
    prover,
    /** The person wants to show one now. */
    ask,
    shown: () => settle(true),
    declined(): void {
      if (asked) settle(false);
    },
  };
}
export type StepUp = ReturnType<typeof createStepUp>;
