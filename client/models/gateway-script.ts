// The gateway's Checkout script: loaded once, from the address that the order names.

/** What the script hands to the page when the person has paid. */
export type GatewayPayment = {
  razorpay_payment_id: string;
  razorpay_order_id: string;
  razorpay_signature: string;
};

export type CheckoutOptions = {
  key: string;
  order_id: string;
  amount: number;
  currency: string;
  name: string;
  description: string;
  prefill: { name: string; email: string };
  theme: { color: string };
  handler: (payment: GatewayPayment) => void;
  modal: { ondismiss: () => void };
};

export type CheckoutWindow = {
  open(): void;
  on?(event: 'payment.failed', hear: (failure: { error?: { description?: string } }) => void): void;
};
export type CheckoutConstructor = new (options: CheckoutOptions) => CheckoutWindow;

declare global {
  interface Window {
    Razorpay?: CheckoutConstructor;
  }
}

export type LoadCheckout = (url: string) => Promise<CheckoutConstructor>;

/** Loads each script once for the life of the page; a failed load may be tried again. */
export function createCheckoutLoader(page: Window): LoadCheckout {
  const loading = new Map<string, Promise<CheckoutConstructor>>();

  function load(url: string): Promise<CheckoutConstructor> {
    return new Promise((resolve, reject) => {
      const script = page.document.createElement('script');
      script.src = url;
      script.async = true;
      script.addEventListener('load', () => {
        if (page.Razorpay) resolve(page.Razorpay);
        else reject(new Error('the checkout script brought no checkout'));
      });
      script.addEventListener('error', () => {
        script.remove();
        reject(new Error('the checkout script did not load'));
      });
      page.document.head.append(script);
    });
  }

  return (url) => {
    const known = loading.get(url);
    if (known) return known;
    const started = load(url);
    loading.set(url, started);
    started.catch(() => loading.delete(url));
    return started;
  };
}
