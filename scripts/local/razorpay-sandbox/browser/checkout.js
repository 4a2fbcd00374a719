// The script that a shop's page loads: `window.Razorpay` opens the test gateway's page in a frame.
(() => {
  const script = document.currentScript;
  if (!(script instanceof HTMLScriptElement)) return;
  const origin = new URL(script.src).origin;

  /** Set through CSSOM, which a strict Content-Security-Policy allows. */
  const style = (element, rules) => {
    for (const [name, value] of Object.entries(rules)) element.style.setProperty(name, value);
  };

  class Razorpay {
    #options;
    #listeners = new Map();
    #close = null;

    constructor(options) {
      if (!options || typeof options !== 'object') throw new Error('Razorpay: no options given');
      if (!options.key) throw new Error('Razorpay: no key passed');
      if (!options.order_id) throw new Error('Razorpay: no order_id passed');
      this.#options = options;
    }

    on(event, listener) {
      const listeners = this.#listeners.get(event) ?? [];
      this.#listeners.set(event, [...listeners, listener]);
    }

    #tell(event, data) {
      for (const listener of this.#listeners.get(event) ?? []) listener(data);
    }

    open() {
      if (this.#close) return;
      const options = this.#options;
      const channel = crypto.getRandomValues(new Uint32Array(4)).join('-');
      const address = new URL('/v1/checkout/public', origin);
      const { prefill = {}, theme = {} } = options;
      const words = {
        channel,
        opener: location.origin,
        key_id: options.key,
        order_id: options.order_id,
        name: options.name,
        description: options.description,
        color: theme.color,
        email: prefill.email,
        contact: prefill.contact,
        method: prefill.method,
      };
      // In the fragment: it is not sent to any server.
      address.hash = new URLSearchParams(
        Object.entries(words).filter(([, value]) => value !== undefined && value !== null),
      ).toString();

      const overlay = document.createElement('div');
      overlay.setAttribute('role', 'dialog');
      overlay.setAttribute('aria-modal', 'true');
      overlay.setAttribute('aria-label', 'Payment');
      style(overlay, {
        position: 'fixed',
        inset: '0',
        'z-index': '2147483647',
        background: 'rgb(8 10 18 / 62%)',
      });
      const frame = document.createElement('iframe');
      frame.src = address.href;
      frame.title = 'Test payment gateway';
      frame.setAttribute('sandbox', 'allow-scripts allow-same-origin allow-forms');
      style(frame, {
        display: 'block',
        width: '100%',
        height: '100%',
        border: '0',
        background: 'transparent',
        // As the page inside has it: else the frame would not be see-through.
        'color-scheme': 'light dark',
      });
      overlay.append(frame);

      const focused = document.activeElement;
      // What lies under the overlay can be neither reached by keyboard nor scrolled.
      const covered = [...document.body.children].filter((element) => !element.inert);
      const overflow = document.documentElement.style.overflow;

      const close = () => {
        this.#close = null;
        removeEventListener('message', onMessage);
        overlay.remove();
        for (const element of covered) element.inert = false;
        document.documentElement.style.overflow = overflow;
        if (focused instanceof HTMLElement) focused.focus();
      };
      const onMessage = (event) => {
        if (event.origin !== origin || event.source !== frame.contentWindow) return;
        const message = event.data;
        if (!message || message.channel !== channel) return;
        if (message.type === 'success') {
          close();
          options.handler?.(message.data);
        } else if (message.type === 'failure') {
          this.#tell('payment.failed', { error: message.error });
          if (options.retry?.enabled === false) close();
        } else if (message.type === 'dismiss') {
          close();
          options.modal?.ondismiss?.();
        }
      };

      for (const element of covered) element.inert = true;
      document.documentElement.style.overflow = 'hidden';
      document.body.append(overlay);
      addEventListener('message', onMessage);
      frame.addEventListener('load', () => frame.focus());
      this.#close = close;
    }

    close() {
      this.#close?.();
    }
  }

  window.Razorpay = Razorpay;
})();
