// The look of an invoice's page, on a phone, on a desktop and on paper; in the colours of client/styles/tokens.css.

/** A Content-Security-Policy source for the page's only style sheet; a test holds it to the text below. */
export const invoiceStyleHash = "'sha256-Z1Flb/AeGM+6uTcBSf1ODDHvABif+nLGzVAipI0qQtQ='";

export const invoiceStyle = `
:root {
  color-scheme: light;
  --ground: #faf6f3;
  --line: #e6dcd7;
  --ink: #1d1320;
  --ink-soft: #574a5c;
  --ink-faint: #6f6174;
  --brand: #cf1746;
  --brand-wash: #fde8ed;
  --spark: linear-gradient(120deg, #ff3d6e, #f2553d 55%, #ffb02e);
}
* { box-sizing: border-box; margin: 0; }
body {
  background: var(--ground);
  color: var(--ink);
  font: 15px/1.5 "Inter", -apple-system, "Segoe UI Variable Text", "Segoe UI", Roboto, "Noto Sans",
    Ubuntu, Cantarell, "Helvetica Neue", "Liberation Sans", "DejaVu Sans Condensed", system-ui,
    sans-serif;
  padding: 40px 20px;
  -webkit-text-size-adjust: 100%;
}
main {
  background: #fff;
  border: 1px solid var(--line);
  border-radius: 14px;
  box-shadow: 0 12px 32px -8px rgb(60 20 40 / 0.16);
  margin: 0 auto;
  max-width: 820px;
  overflow: hidden;
  overflow-wrap: anywhere;
}
main::before { background: var(--spark); content: ""; display: block; height: 6px; }
header, .parties, .sheet, footer { padding-inline: 48px; }
header {
  align-items: center;
  display: flex;
  flex-wrap: wrap;
  gap: 16px 32px;
  justify-content: space-between;
  padding-block: 36px 30px;
}
.logo { align-items: center; display: flex; font-size: 21px; font-weight: 650; gap: 11px; letter-spacing: -0.02em; }
.logo b { color: var(--brand); font-weight: inherit; }
.title { text-align: right; }
h1 { font-size: 27px; font-weight: 650; letter-spacing: -0.02em; line-height: 1.2; }
.title p, .detail { color: var(--ink-faint); font-size: 13px; }
.facts {
  background: var(--ground);
  border-block: 1px solid var(--line);
  display: flex;
  flex-wrap: wrap;
  gap: 16px 24px;
  padding: 18px 48px;
}
.facts div { flex: 1 1 auto; }
.facts:has(> :nth-child(5)) { display: grid; grid-template-columns: repeat(3, 1fr); }
dt, h2, th { color: var(--ink-faint); font-size: 12.5px; font-weight: 500; line-height: 1.6; }
.facts dd { font-weight: 600; }
.parties { display: grid; gap: 28px 40px; grid-template-columns: 1fr 1fr; padding-block: 30px; }
.name { font-size: 16px; font-weight: 600; }
.parties p:not(.name) { color: var(--ink-soft); }
table { border-collapse: collapse; width: 100%; }
th { border-bottom: 1px solid var(--ink); padding: 0 0 8px; text-align: left; }
td { border-bottom: 1px solid var(--line); padding: 14px 0; vertical-align: top; }
th + th, td + td { padding-left: 16px; text-align: right; white-space: nowrap; }
td + td, .sums { font-variant-numeric: tabular-nums; }
.description { font-weight: 550; }
.outcome {
  display: grid;
  gap: 28px 40px;
  grid-template-columns: 1fr minmax(320px, 1fr);
  padding-block: 22px 32px;
}
.sums div { display: flex; gap: 24px; justify-content: space-between; padding-block: 5px; }
.sums dt, .payment dt { color: var(--ink-soft); font-size: inherit; font-weight: 400; line-height: inherit; }
.sums dd { text-align: right; white-space: nowrap; }
.sums .total {
  align-items: baseline;
  background: var(--brand-wash);
  border-radius: 10px;
  font-size: 19px;
  font-weight: 650;
  margin: 10px -16px 0;
  padding: 12px 16px;
}
.sums .total dt { color: var(--ink); font-size: 15px; font-weight: 600; }
.words { margin-bottom: 20px; }
.payment div { display: flex; gap: 12px; }
.payment dt { flex: 0 0 76px; }
footer { border-top: 1px solid var(--line); color: var(--ink-faint); font-size: 13px; padding-block: 20px 28px; }
footer .name { color: var(--ink); font-size: 14px; }
@media (max-width: 640px) {
  body { font-size: 14.5px; padding: 0; }
  main { border: 0; border-radius: 0; box-shadow: none; min-height: 100vh; }
  header, .parties, .sheet, footer { padding-inline: 20px; }
  header { padding-block: 22px; }
  .title { text-align: left; width: 100%; }
  .facts, .facts:has(> :nth-child(5)) { display: grid; gap: 14px 20px; grid-template-columns: 1fr 1fr; padding: 16px 20px; }
  .parties { grid-template-columns: 1fr; padding-block: 24px; }
  .outcome { gap: 26px; grid-template-columns: 1fr; }
  .outcome .sums { order: -1; }
  .sums .total { margin-inline: -10px; padding-inline: 10px; }
}
@page { margin: 14mm; size: A4; }
@media print {
  body { background: none; font-size: 10pt; padding: 0; print-color-adjust: exact; -webkit-print-color-adjust: exact; }
  main { border: 0; border-radius: 0; box-shadow: none; max-width: none; min-height: 0; }
  header, .parties, .sheet, footer { padding-inline: 0; }
  .facts { padding-inline: 16px; }
  .sums .total { margin-inline: 0; }
  tr, .outcome, .parties, footer { break-inside: avoid; }
}
`;
