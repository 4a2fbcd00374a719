// Permissions: every route is asked by everybody, and answers as the table in the documentation says.
import { randomUUID } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { isPermitted, isStaff, permissions, roles } from '#contract';
import { newKey, startTestEdge, type TestEdge } from '../testing/edge.ts';
import { createApi } from './app.ts';
import { type Access, type Rule, ruleOf } from './services/operation.ts';
import { createCast, type Member } from './testing/cast.ts';

const page = new URL('../docs/permissions.md', import.meta.url);
const askers = ['guest', ...roles] as const;
type Asker = (typeof askers)[number];

interface Route extends Pick<Rule, 'access' | 'proof'> {
  method: string;
  path: string;
}

let edge: TestEdge;
let routes: Route[];
let members: Map<Asker, Member>;
beforeAll(async () => {
  edge = await startTestEdge();
  const cast = createCast(edge);
  members = new Map();
  for (const role of roles) members.set(role, await cast.member(role));
  routes = readRoutes();
});
afterAll(() => edge.close());

/** Every route of the API, by the rule that stands before its handlers. */
function readRoutes(): Route[] {
  const found = new Map<string, Route | null>();
  for (const { method, path, handler } of createApi(edge.parts.deps).routes) {
    if (method === 'ALL') continue;
    const rule = ruleOf(handler);
    const name = `${method} ${path}`;
    if (rule) found.set(name, { method, path, access: rule.access, proof: rule.proof });
    else if (!found.has(name)) found.set(name, null);
  }
  const unruled = [...found].filter(([, route]) => route === null).map(([name]) => name);
  expect(unruled, 'routes that do not say who may call them').toEqual([]);
  return [...found.values()].filter((route) => route !== null);
}

/** What somebody is refused with by the rule alone; null where they may call. */
function refusalOf(asker: Asker, access: Access): 'unauthenticated' | 'forbidden' | null {
  if (access === 'anyone' || access === 'visitor') return null;
  if (asker === 'guest') return 'unauthenticated';
  return isPermitted(asker, access) ? null : 'forbidden';
}

async function ask(
  { method, path }: Route,
  call: TestEdge['call'],
  codes = ['unauthenticated', 'forbidden'],
): Promise<string | null> {
  const { body } = await call(
    method,
    path.replaceAll(/:\w+/g, () => randomUUID()),
    {
      headers: { 'idempotency-key': newKey() },
      ...(method === 'GET' ? {} : { body: {} }),
    },
  );
  return codes.includes(body?.code) ? body.code : null;
}

test('every route of everybody is allowed or refused as the table says', async () => {
  const answered: Record<string, Record<string, string | null>> = {};
  const predicted: typeof answered = {};
  for (const route of routes) {
    const name = `${route.method} ${route.path}`;
    answered[name] = {};
    predicted[name] = {};
    for (const asker of askers) {
      answered[name][asker] = await ask(route, members.get(asker)?.call ?? edge.call);
      predicted[name][asker] = refusalOf(asker, route.access);
    }
  }
  expect(Object.keys(answered).length).toBeGreaterThan(60);
  expect(answered).toEqual(predicted);
}, 60_000);

/** What somebody who has not shown a second factor (so lately) is asked for. */
function proofOf(asker: Asker, { method, access, proof }: Route): Rule['proof'] {
  if (asker === 'guest' || access === 'anyone' || access === 'visitor') return null;
  if (!isPermitted(asker, access)) return null;
  const acts = method !== 'GET' && access !== 'keep-account';
  return proof ?? (acts && isStaff(asker) ? 'today' : null);
}

test('a second factor is asked for where the table says, of whoever has shown none or not lately', async () => {
  const cast = createCast(edge);
  const hour = 3600_000;
  const asked: Record<string, string | null> = {};
  const predicted: typeof asked = {};
  for (const role of roles) {
    const member = members.get(role);
    if (!member) throw new Error(`nobody is ${role}`);
    const ago = (ms: number) => new Date(Date.now() - ms);
    const never = await cast.asMember({ ...member, role }, null);
    const anHourAgo = await cast.asMember({ ...member, role }, ago(hour));
    const yesterday = await cast.asMember({ ...member, role }, ago(13 * hour));
    for (const route of routes) {
      const name = `${role}: ${route.method} ${route.path}`;
      const proof = proofOf(role, route);
      const codes = ['step-up-needed'];
      for (const [word, who, isEnough] of [
        ['never', never, proof === null],
        ['an hour ago', anHourAgo, proof !== 'recent'],
        ['yesterday', yesterday, proof === null],
      ] as const) {
        asked[`${name}, ${word}`] = await ask(route, who.call, codes);
        predicted[`${name}, ${word}`] = isEnough ? null : 'step-up-needed';
      }
    }
  }
  expect(asked).toEqual(predicted);
  expect(Object.values(predicted).filter((code) => code !== null).length).toBeGreaterThan(200);
}, 120_000);

test('the table in the documentation is the one that is kept to', async () => {
  const table = [
    `| route | permission | second factor | ${askers.join(' | ')} |`,
    `| --- | --- | --- | ${askers.map(() => ':-:').join(' | ')} |`,
    ...routes.map((route) => {
      const cells = askers.map((asker) => (refusalOf(asker, route.access) ? '' : '✓'));
      return `| \`${route.method} ${route.path}\` | ${route.access} | ${route.proof ?? ''} | ${cells.join(' | ')} |`;
    }),
  ].join('\n');
  const text = `# Permissions

Who may call which route. This page is made from the code by its test, which asks every route as everybody:
\`UPDATE_DOCS=1 npx vitest run edge/permissions.test.ts\` writes it anew. \`anyone\` is not looked at, a \`visitor\`
may say who they are and need not. Routes may refuse more than the table: what is somebody else's stays theirs.

A second factor must have been shown in the session within 15 minutes where it says \`recent\`, and within 12 hours
where it says \`today\`. Staff must have shown one within 12 hours for everything that they do, besides reading and
what is about their own account.

${table}
`;
  if (process.env.UPDATE_DOCS) await writeFile(page, text);
  expect(await readFile(page, 'utf8')).toBe(text);
});

test('the database permits each role what the contract does', async () => {
  const rows = await edge.database.asOwner<{ role: string; permission: string }>(
    'select role, permission from role_permissions',
  );
  const kept = rows.map(({ role, permission }) => `${role} ${permission}`);
  const said = roles.flatMap((role) =>
    permissions.filter((one) => isPermitted(role, one)).map((one) => `${role} ${one}`),
  );
  expect(kept.toSorted()).toEqual(said.toSorted());
});
