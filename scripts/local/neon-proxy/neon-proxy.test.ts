// The official Neon driver against the local stand-in and a real PostgreSQL.
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { Client, neon, neonConfig } from '@neondatabase/serverless';
import pg from 'pg';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { postgresUrl } from '../../../testing/services.ts';
import { type NeonProxy, requestBodyBytesMax, startNeonProxy } from './server.ts';

const log = pino({ level: 'silent' });
const database = `neon_proxy_${process.pid}`;
const strangers = [
  ['another password', { password: 'guess' }],
  ['another user', { username: 'somebody' }],
  ['another database', { pathname: '/postgres' }],
] as const;
let url: string;
let admin: pg.Client;
let proxy: NeonProxy;

beforeAll(async () => {
  admin = new pg.Client({ connectionString: postgresUrl() });
  await admin.connect();
  await admin.query(`create database ${database}`);
  const address = new URL(postgresUrl());
  address.pathname = `/${database}`;
  url = address.href;
  proxy = await startNeonProxy({ databaseUrl: url, port: 0, log });
  neonConfig.fetchEndpoint = `http://127.0.0.1:${proxy.port}/sql`;
  neonConfig.wsProxy = () => `127.0.0.1:${proxy.port}/v2`;
  neonConfig.useSecureWebSocket = false;
  neonConfig.pipelineConnect = false;
  const sql = neon(url);
  await sql`create table coin (id int primary key, name text not null, weight numeric, minted timestamptz)`;
});

afterAll(async () => {
  await proxy.close();
  await admin.query(`drop database ${database} with (force)`);
  await admin.end();
});

describe('over HTTP', () => {
  test('parameters go in and typed values come out', async () => {
    const sql = neon(url, { fullResults: true });
    const bytes = Buffer.from([0, 1, 255]);
    const result =
      await sql`select ${7}::int as number, ${'héllo'}::text as text, ${null}::text as nothing,
      ${true}::boolean as flag, ${bytes}::bytea as bytes, ${JSON.stringify({ a: [1] })}::jsonb as json,
      ${[1, 2]}::int[] as list, 9007199254740993::bigint as big`;
    expect(result.rows).toEqual([
      {
        number: 7,
        text: 'héllo',
        nothing: null,
        flag: true,
        bytes: expect.anything(),
        json: { a: [1] },
        list: [1, 2],
        big: '9007199254740993',
      },
    ]);
    expect(Buffer.from(result.rows[0]?.bytes)).toEqual(bytes);
    expect(result.command).toBe('SELECT');
    expect(result.rowCount).toBe(1);
    expect(result.fields.map((field) => field.name)).toContain('big');
  });

  test('a violated constraint arrives with its code, constraint and table', async () => {
    const sql = neon(url);
    await sql`insert into coin values (1, 'rupee')`;
    await expect(sql`insert into coin values (1, 'rupee')`).rejects.toMatchObject({
      name: 'NeonDbError',
      code: '23505',
      constraint: 'coin_pkey',
      table: 'coin',
      severity: 'ERROR',
      detail: 'Key (id)=(1) already exists.',
    });
  });

  test('a batch is one transaction: one failing query undoes them all', async () => {
    const sql = neon(url);
    await sql.transaction([
      sql`insert into coin values (10, 'anna')`,
      sql`insert into coin values (11, 'paisa')`,
    ]);
    await expect(
      sql.transaction([
        sql`insert into coin values (12, 'pie')`,
        sql`insert into coin values (10, 'anna')`,
      ]),
    ).rejects.toMatchObject({ code: '23505' });
    const rows = await sql`select id from coin where id >= 10 order by id`;
    expect(rows).toEqual([{ id: 10 }, { id: 11 }]);
  });

  test('a batch runs with the isolation and read-only mode that it asks for', async () => {
    const sql = neon(url);
    const [level, readOnly] = await sql.transaction(
      [sql`show transaction_isolation`, sql`show transaction_read_only`],
      { isolationLevel: 'Serializable', readOnly: true },
    );
    expect(level).toEqual([{ transaction_isolation: 'serializable' }]);
    expect(readOnly).toEqual([{ transaction_read_only: 'on' }]);
    await expect(
      sql.transaction([sql`insert into coin values (13, 'mohur')`], { readOnly: true }),
    ).rejects.toMatchObject({ code: '25006' });
  });

  test('session state of one request never reaches another', async () => {
    const sql = neon(url);
    await sql`set statement_timeout = '7s'`;
    await sql`begin`;
    const seen = new Set<string>();
    for (let turn = 0; turn < 5; turn += 1) {
      const [row] = await sql`show statement_timeout`;
      seen.add(row?.statement_timeout);
    }
    expect([...seen]).toEqual(['0']);
  });

  test('several statements in one text are refused, as Neon refuses them', async () => {
    await expect(neon(url).query('select 1; select 2')).rejects.toMatchObject({ code: '42601' });
  });

  test.each(strangers)('a client with %s is refused', async (_, change) => {
    const other = Object.assign(new URL(url), change);
    await expect(neon(other.href)`select 1`).rejects.toMatchObject({ code: '28P01' });
  });

  test('the server that a client names is never contacted', async () => {
    const other = new URL(url);
    other.host = 'unreachable.invalid:1';
    expect(await neon(other.href)`select 1 as one`).toEqual([{ one: 1 }]);
  });

  test('a malformed body and one that is too large are refused', async () => {
    const headers = { 'neon-connection-string': url };
    const endpoint = `http://127.0.0.1:${proxy.port}/sql`;
    const malformed = await fetch(endpoint, { method: 'POST', headers, body: '{"query":7}' });
    expect(malformed.status).toBe(400);
    const large = await fetch(endpoint, {
      method: 'POST',
      headers,
      body: JSON.stringify({ query: 'x'.repeat(requestBodyBytesMax) }),
    });
    expect(large.status).toBe(413);
  });
});

describe('over the WebSocket', () => {
  test('an interactive transaction commits, and another rolls back', async () => {
    const client = new Client(url);
    await client.connect();
    try {
      await client.query('begin');
      const { rows } = await client.query('insert into coin values (20, $1) returning id', [
        'fanam',
      ]);
      await client.query('update coin set name = $1 where id = $2', ['chakram', rows[0].id]);
      await client.query('commit');
      await client.query('begin');
      await client.query('delete from coin where id = 20');
      await client.query('rollback');
      const after = await client.query('select name from coin where id = 20');
      expect(after.rows).toEqual([{ name: 'chakram' }]);
    } finally {
      await client.end();
    }
  });

  test.each(strangers)('a client with %s is refused', async (_, change) => {
    const client = new Client(Object.assign(new URL(url), change).href);
    client.on('error', () => {});
    await expect(client.connect()).rejects.toMatchObject({ code: expect.stringMatching(/^28/) });
  });
});

test('hostile sockets harm nobody else', async () => {
  // Gone before the refusal is written.
  for (let turn = 0; turn < 50; turn += 1) {
    const socket = connect(proxy.port, '127.0.0.1');
    await once(socket, 'connect');
    socket.write('GET /wrong HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
    socket.resetAndDestroy();
  }
  const length = (value: number, version = 3) => {
    const bytes = Buffer.alloc(12);
    bytes.writeInt32BE(value, 0);
    bytes.writeInt16BE(version, 4);
    return bytes;
  };
  const frames = [
    length(2 ** 31 - 1),
    length(-1),
    length(4),
    length(12),
    length(8, 1234),
    'not a startup message',
    Buffer.alloc(17 * 1024 * 1024),
  ];
  for (const frame of frames) {
    const client = new WebSocket(`ws://127.0.0.1:${proxy.port}/v2`);
    client.on('error', () => {});
    client.on('open', () => client.send(frame));
    await once(client, 'close');
  }
  expect(await neon(url)`select 1 as one`).toEqual([{ one: 1 }]);
});

test('readiness follows the database', async () => {
  const ready = await fetch(`http://127.0.0.1:${proxy.port}/readyz`);
  expect(ready.status).toBe(200);
  const away = new URL(url);
  away.port = '1';
  const orphan = await startNeonProxy({ databaseUrl: away.href, port: 0, log });
  const answer = await fetch(`http://127.0.0.1:${orphan.port}/readyz`);
  expect(answer.status).toBe(503);
  await expect(
    fetch(`http://127.0.0.1:${orphan.port}/sql`, {
      method: 'POST',
      headers: { 'neon-connection-string': away.href },
      body: '{"query":"select 1"}',
    }).then((response) => response.status),
  ).resolves.toBe(503);
  await orphan.close();
});

test('it does not start in production', () => {
  const result = spawnSync(process.execPath, [new URL('main.ts', import.meta.url).pathname], {
    env: { ...process.env, ENVIRONMENT: 'production', DATABASE_URL: url },
    encoding: 'utf8',
  });
  expect(result.status).toBe(1);
  expect(result.stderr).toMatch(/does not start when ENVIRONMENT=production/);
});
