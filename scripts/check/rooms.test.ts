// The check of the room arrows finds what it must, and lets pass what it may.
import { expect, test } from 'vitest';
import { faultOf, importsOf } from './rooms.ts';

const fault = (file: string, source: string) =>
  importsOf(source)
    .map((found) => faultOf(file, found))
    .filter(Boolean);

test('imports along the arrows pass', () => {
  expect(fault('edge/app.ts', "import { tip } from '#db';\nimport { z } from 'zod';")).toEqual([]);
  expect(fault('client/models/api.ts', "import type { Api } from '#edge';")).toEqual([]);
  expect(fault('edge/routes/auth.ts', "import {\n  a,\n  b,\n} from '../deps.ts';")).toEqual([]);
  expect(fault('db/x.test.ts', "import { t } from '../testing/database.ts';")).toEqual([]);
  expect(fault('db/testing/x.ts', "import { t } from '../../testing/database.ts';")).toEqual([]);
});

test('imports against the arrows are found, in every form', () => {
  expect(fault('contract/a.ts', "import { Hono } from 'hono';")).toHaveLength(1);
  expect(fault('sfu-cluster/a.ts', "import { tip } from '#db';")).toHaveLength(1);
  expect(fault('client/a.ts', "import { createApi } from '#edge';")).toHaveLength(1);
  expect(fault('client/a.ts', "const x = await import('../db/index.ts');")).toHaveLength(1);
  expect(fault('transcoder/a/b.ts', "export * from '../../contract/ids.ts';")).toHaveLength(1);
  expect(fault('edge/app.ts', "import '../db/users.ts';")).toHaveLength(1);
  expect(fault('edge/app.ts', "import './testing/scene.ts';")).toHaveLength(1);
});
