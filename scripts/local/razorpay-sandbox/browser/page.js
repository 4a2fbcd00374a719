// The checkout page: shows the order that the gateway holds, pays or fails it, and tells the opener.
const words = new URLSearchParams(location.hash.slice(1));
const word = (name) => words.get(name) ?? '';
const opener = word('opener');
const element = (id) => document.getElementById(id);

/** How long a success is shown before the shop's page takes over. */
const successShownMs = 700;

const form = element('form');
const pay = element('pay');
const fail = element('fail');
const problem = element('error');

/** Only the page that opened this frame may read what happened here. */
const tell = (message) => parent.postMessage({ channel: word('channel'), ...message }, opener);

const busy = (state) => {
  pay.disabled = state;
  fail.disabled = state;
  form.setAttribute('aria-busy', String(state));
};

const showProblem = (text) => {
  problem.textContent = text;
  problem.hidden = text === '';
};

async function request(path, body) {
  const answer = await fetch(
    path,
    body && {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    },
  );
  return { ok: answer.ok, json: await answer.json() };
}

async function attempt(outcome) {
  showProblem('');
  busy(true);
  const chosen = new FormData(form);
  const method = chosen.get('method');
  let answer;
  try {
    answer = await request('/v1/checkout/payments', {
      key_id: word('key_id'),
      order_id: word('order_id'),
      outcome,
      method,
      bank: method === 'netbanking' ? chosen.get('bank') : undefined,
      wallet: method === 'wallet' ? chosen.get('wallet') : undefined,
      email: word('email') || undefined,
      contact: word('contact') || undefined,
      description: word('description') || undefined,
    });
  } catch {
    // The gateway did not answer; the buyer may try again.
    showProblem('The test gateway does not answer. Try again.');
    busy(false);
    return;
  }
  if (!answer.ok) {
    showProblem(answer.json.error.description);
    busy(false);
    tell({ type: 'failure', error: answer.json.error });
    return;
  }
  form.hidden = true;
  element('cancel').hidden = true;
  element('reference').textContent = answer.json.razorpay_payment_id;
  element('success').hidden = false;
  setTimeout(() => tell({ type: 'success', data: answer.json }), successShownMs);
}

async function show() {
  const name = word('name') || 'Test payment';
  element('merchant').textContent = name;
  element('mark').textContent = name.slice(0, 1).toUpperCase();
  element('description').textContent = word('description');
  if (/^#[0-9a-f]{6}$/i.test(word('color'))) {
    document.documentElement.style.setProperty('--brand', word('color'));
    document.documentElement.style.setProperty('--brand-ink', inkOn(word('color')));
  }
  const preferred = form.elements.namedItem('method');
  if (['upi', 'card', 'netbanking', 'wallet'].includes(word('method')))
    preferred.value = word('method');

  const query = new URLSearchParams({ key_id: word('key_id'), order_id: word('order_id') });
  const { ok, json } = await request(`/v1/checkout/order?${query}`);
  if (!ok) {
    showProblem(json.error.description);
    return;
  }
  const amount = new Intl.NumberFormat('en-IN', { style: 'currency', currency: json.currency });
  const text = amount.format(json.amount / 100);
  element('amount').textContent = text;
  pay.textContent = `Pay ${text}`;
  busy(false);
  pay.focus();
}

/** Black or white, whichever can be read better on a colour. */
function inkOn(colour) {
  const [red, green, blue] = [1, 3, 5].map((at) => {
    const part = Number.parseInt(colour.slice(at, at + 2), 16) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  const light = 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  return light > 0.179 ? '#000000' : '#ffffff';
}

form.addEventListener('submit', (event) => {
  event.preventDefault();
  attempt('success');
});
fail.addEventListener('click', () => attempt('failure'));
element('cancel').addEventListener('click', () => tell({ type: 'dismiss' }));
addEventListener('keydown', (event) => {
  if (event.key === 'Escape' && !form.hidden) tell({ type: 'dismiss' });
});
show().catch(() => showProblem('The test gateway does not answer. Close this and try again.'));
