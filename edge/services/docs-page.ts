// Pages of the API documents: plain HTML without scripts, so that the strict policy holds here, too.
import { html, raw } from 'hono/html';
import { problemCodes, problemStatus, problemTitle } from '#contract';

interface SchemaLike {
  [key: string]: unknown;
}
interface OperationLike {
  summary?: string;
  tags?: string[];
  security?: unknown[];
  parameters?: unknown[];
  requestBody?: unknown;
  responses?: Record<string, unknown>;
}
interface DocumentLike {
  info: { title: string; description?: string };
  paths: Record<string, Record<string, unknown>>;
  components?: { schemas?: Record<string, unknown> };
}

type Html = ReturnType<typeof html>;

/** All operations, grouped by tag. */
export function renderOperations(document: DocumentLike): Html {
  const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({
      path,
      method,
      operation: operation as OperationLike,
    })),
  );
  const tags = [...new Set(operations.map(({ operation }) => operation.tags?.[0] ?? 'Other'))];
  const sections = tags.map((tag) => {
    const own = operations.filter(({ operation }) => (operation.tags?.[0] ?? 'Other') === tag);
    return html`<section><h2 id="${tag}">${tag}</h2>${own.map(renderOperation)}</section>`;
  });
  const links = tags.map((tag) => html`<a href="#${tag}">${tag}</a>`);
  return page(
    document.info.title,
    html`<p>${document.info.description ?? ''}</p>
      <nav>${links}<a href="/docs/problems">Problems</a><a href="/openapi.json">openapi.json</a></nav>
      ${sections}`,
  );
}

function renderOperation(entry: { path: string; method: string; operation: OperationLike }): Html {
  const { operation } = entry;
  const needs = operation.security ? html`<span class="access">needs a log-in</span>` : '';
  return html`<details>
    <summary><b class="${entry.method}">${entry.method.toUpperCase()}</b>
      <code>${entry.path}</code> <span>${operation.summary ?? ''}</span> ${needs}</summary>
    ${block('Parameters', operation.parameters)}
    ${block('Body', contentOf(operation.requestBody))}
    ${Object.entries(operation.responses ?? {}).map(([status, response]) => renderResponse(status, response))}
  </details>`;
}

function renderResponse(status: string, response: unknown): Html {
  const { description = '' } = response as { description?: string };
  const paragraphs = description
    .split('\n\n')
    .map((text) => html`<li>${text.replaceAll('`', '')}</li>`);
  const schema = Number(status) < 400 ? contentOf(response) : undefined;
  return html`<h4>${status}</h4><ul>${paragraphs}</ul>${block('Answer', schema)}`;
}

function contentOf(holder: unknown): unknown {
  const { content } = (holder ?? {}) as { content?: Record<string, { schema?: SchemaLike }> };
  return Object.values(content ?? {})[0]?.schema;
}

function block(title: string, value: unknown): Html | string {
  if (value === undefined) return '';
  return html`<h4>${title}</h4><pre>${JSON.stringify(value, null, 2)}</pre>`;
}

/** Every problem code with its status and meaning. */
export function renderProblems(): Html {
  const rows = problemCodes.map(
    (code) => html`<tr id="${code}"><td><code>${code}</code></td><td>${problemStatus(code)}</td>
      <td>${problemTitle(code)}</td></tr>`,
  );
  return page(
    'Problems',
    html`<p>Every refusal is <code>application/problem+json</code> (RFC 9457) with one of these codes.</p>
      <nav><a href="/docs">All operations</a></nav>
      <table><thead><tr><th>code</th><th>status</th><th>meaning</th></tr></thead>
      <tbody>${rows}</tbody></table>`,
  );
}

function page(title: string, body: Html): Html {
  return html`${raw('<!doctype html>')}<html lang="en"><head><meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>${title} · LivePanty</title><link rel="stylesheet" href="/docs/style.css"></head>
    <body><main><h1>${title}</h1>${body}</main></body></html>`;
}

export const docsStyle = `
:root { color-scheme: light dark; --line: color-mix(in srgb, currentColor 18%, transparent); }
body { font: 16px/1.55 system-ui, sans-serif; margin: 0; }
main { max-width: 60rem; margin: 0 auto; padding: 2rem 1rem 4rem; }
h1 { font-size: 1.9rem; } h2 { margin: 2.2rem 0 .6rem; } h4 { margin: .9rem 0 .3rem; }
nav { display: flex; flex-wrap: wrap; gap: .4rem 1.1rem; }
a { color: light-dark(#b3135f, #ff7ab6); }
details { border: 1px solid var(--line); border-radius: .6rem; margin: .5rem 0; padding: .5rem .9rem; }
summary { cursor: pointer; overflow-wrap: anywhere; } summary b { display: inline-block; min-width: 3.4rem; }
.get { color: light-dark(#0a6f4a, #5fd6a4); } .post { color: light-dark(#1c4fc4, #8db2ff); }
.access { border: 1px solid var(--line); border-radius: 1rem; font-size: .8rem; padding: 0 .6rem; }
pre { background: color-mix(in srgb, currentColor 7%, transparent); border-radius: .5rem; overflow: auto; padding: .8rem; font-size: .85rem; }
table { border-collapse: collapse; width: 100%; } td, th { border-bottom: 1px solid var(--line); padding: .4rem; text-align: left; }
tr:target { background: color-mix(in srgb, #ff2e88 22%, transparent); }
`;
