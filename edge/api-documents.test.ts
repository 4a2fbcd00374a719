// The documents of the API: every operation is called and answers as they say, and problems are listed in one page.
import { readFile, writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { problemCodes, problemStatus, problemTitle } from '#contract';
import { type ApiCheck, createApiCheck } from '../testing/api-check.ts';
import { startTestEdge, type TestEdge } from '../testing/edge.ts';
import { type Cast, createCast } from './testing/cast.ts';
import { acts, createStage } from './testing/every-route/index.ts';

let edge: TestEdge;
let cast: Cast;
let apiCheck: ApiCheck;
const called = new Set<string>();
beforeAll(async () => {
  edge = await startTestEdge();
  cast = createCast(edge);
  apiCheck = createApiCheck((await edge.call('GET', '/openapi.json')).body);
});
afterAll(() => edge.close());

// What is answered is checked by `edge.call` itself.
test.each(acts)('%s are called, and answer as documented', async (_, act) => {
  const stage = createStage(edge, cast, async (method, path, request) => {
    const answer = await edge.call(method, path, request);
    const operation = apiCheck.operationOf(method, path);
    if (operation && answer.status < 300) called.add(operation);
    return answer;
  });
  await act(stage);
});

test('there is no operation besides', () => {
  expect(called).toEqual(new Set(apiCheck.operations));
});

test('the page of problems lists every code', async () => {
  const page = new URL('../docs/problems.md', import.meta.url);
  const rows = problemCodes.map(
    (code) => `| \`${code}\` | ${problemStatus(code)} | ${problemTitle(code)} |`,
  );
  const text = `# Problems

Every refusal of the API is a problem document (RFC 9457, \`application/problem+json\`) whose \`code\` never changes its
meaning; \`/docs/problems\` shows the same list on every edge. Made from the code:
\`UPDATE_DOCS=1 npx vitest run edge/api-documents.test.ts\` writes this page anew.

| code | status | meaning |
| --- | --: | --- |
${rows.join('\n')}
`;
  if (process.env.UPDATE_DOCS) await writeFile(page, text);
  expect(await readFile(page, 'utf8')).toBe(text);
});
