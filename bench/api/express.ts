// The peer: the same two reads by Express and pg, as one usually writes them.
import express from 'express';
import { importJWK, type JWK, jwtVerify } from 'jose';
import pg from 'pg';

const env = (name: string): string => {
  const value = process.env[name];
  if (value === undefined) throw new Error(`${name} is missing`);
  return value;
};

const pool = new pg.Pool({ connectionString: env('DATABASE_URL'), max: 10 });
const [jwk] = JSON.parse(env('PUBLIC_KEYS')) as [JWK];
const key = await importJWK(jwk, 'EdDSA');

const app = express();
app.disable('x-powered-by');

app.get('/healthz', (_, response) => {
  response.json({ ok: true });
});

app.get('/v1/wallet', async (request, response) => {
  const token = /^Bearer (\S+)$/.exec(request.headers.authorization ?? '')?.[1];
  if (!token) {
    response.status(401).json({ code: 'unauthenticated' });
    return;
  }
  let userId: string | undefined;
  try {
    const { payload } = await jwtVerify(token, key, {
      algorithms: ['EdDSA'],
      issuer: 'livepanty',
      audience: 'api',
    });
    userId = payload.sub;
  } catch {
    response.status(401).json({ code: 'unauthenticated' });
    return;
  }
  const { rows } = await pool.query('select ledger.spendable($1) as balance', [userId]);
  response.set('cache-control', 'no-store').json({ balanceTokens: Number(rows[0].balance) });
});

app.get('/v1/streams', async (request, response) => {
  const limit = Math.min(Number(request.query.limit ?? 24), 50);
  const { rows } = await pool.query(
    `select s.id, s.title, s.category, s.tags, s.language, s.content_class, s.visibility, s.entry_tokens,
        s.scheduled_at, s.version, s.state, s.end_reason, s.created_at, s.started_at, s.ended_at,
        u.id as performer_id, u.username, coalesce(m.viewers, 0) as viewers, m.thumbnail_url
      from streams s join users u on u.id = s.performer_id left join stream_media m on m.stream_id = s.id
      where s.state = 'live' and s.visibility = 'public' order by s.id desc limit $1`,
    [limit + 1],
  );
  const page = rows.slice(0, limit);
  response.set('cache-control', 'public, max-age=2').json({
    streams: page.map((row) => ({
      id: row.id,
      title: row.title,
      category: row.category,
      tags: row.tags,
      language: row.language,
      contentClass: row.content_class,
      visibility: row.visibility,
      entryTokens: row.entry_tokens === null ? null : Number(row.entry_tokens),
      scheduledAt: row.scheduled_at,
      version: row.version,
      state: row.state,
      endReason: row.end_reason,
      performer: { id: row.performer_id, username: row.username },
      viewers: row.viewers,
      thumbnailUrl: row.thumbnail_url,
      createdAt: row.created_at,
      startedAt: row.started_at,
      endedAt: row.ended_at,
    })),
    nextCursor: rows.length > limit ? page.at(-1).id : null,
  });
});

app.listen(Number(env('PORT')), '127.0.0.1');
