// An invoice as a page that stands alone: no script, nothing from outside, every value escaped.
import { html, raw } from 'hono/html';
import { describeInvoice, type Fact, type InvoiceDocument, type Party } from './invoice.ts';
import { invoiceStyle } from './invoice-style.ts';

export { invoiceStyleHash } from './invoice-style.ts';

type Html = ReturnType<typeof html>;

/** Throws when the document's amounts do not add up. */
export function invoiceHtml(document: InvoiceDocument): string {
  const text = describeInvoice(document);
  const page = html`${raw('<!doctype html>')}
<html lang="en-IN">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<meta name="format-detection" content="telephone=no, address=no, email=no">
<title>${text.title} ${document.number} · LivePanty</title>
<style>${raw(invoiceStyle)}</style>
</head>
<body>
<main>
<header>
${logo}
<div class="title"><h1>${text.title}</h1><p>${text.copy}</p></div>
</header>
<dl class="facts">${text.facts.map(renderFact)}</dl>
<div class="parties">
${renderParty(text.supplier)}
${renderParty(text.recipient)}
</div>
<div class="sheet">
<table>
<thead><tr><th scope="col">${text.columns.description}</th><th scope="col">${text.columns.tokens}</th>
<th scope="col">${text.columns.value}</th></tr></thead>
<tbody>${text.rows.map(
    (row) => html`<tr><td><p class="description">${own(row.description)}</p>
<p class="detail">${row.detail}</p></td><td>${row.tokens}</td><td>${row.value}</td></tr>
`,
  )}</tbody>
</table>
<div class="outcome">
<div>
<dl class="words">${renderFact(text.words)}</dl>
<h2>${text.payment.heading}</h2>
<dl class="payment">${text.payment.facts.map(renderFact)}</dl>
</div>
<dl class="sums">${text.sums.map(renderFact)}
<div class="total"><dt>${text.total.label}</dt><dd>${text.total.value}</dd></div></dl>
</div>
</div>
<footer><p class="name">${own(text.signature.heading)}</p><p>${text.signature.note}</p></footer>
</main>
</body>
</html>
`;
  return String(page);
}

function renderFact(fact: Fact): Html {
  return html`<div><dt>${fact.label}</dt><dd>${own(fact.value)}</dd></div>
`;
}

function renderParty(party: Party): Html {
  return html`<section><h2>${party.heading}</h2><p class="name">${own(party.name)}</p>
${party.lines.map(
  (line) => html`<p>${own(line)}</p>
`,
)}</section>`;
}

/** Text that somebody chose: marks in it that turn the direction of writing end with it. */
function own(text: string): Html {
  return html`<bdi>${text}</bdi>`;
}

const logo = html`<div class="logo"><svg width="34" height="34" viewBox="0 0 32 32" aria-hidden="true">
<defs><linearGradient id="spark" x1="0" y1="0" x2="1" y2="1"><stop offset="0" stop-color="#ff3d6e"/>
<stop offset="0.55" stop-color="#f2553d"/><stop offset="1" stop-color="#ffb02e"/></linearGradient></defs>
<rect width="32" height="32" rx="9" fill="url(#spark)"/><path d="M8 7.5h4v13h12v4H8z" fill="#fff"/>
<path d="M14.6 6.5 23.4 11.6a1 1 0 0 1 0 1.7l-8.8 5.1z" fill="#fff"/></svg>
<span>Live<b>Panty</b></span></div>`;
