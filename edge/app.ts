// The edge app: every route, the same on every runtime.
import { type Context, Hono, type MiddlewareHandler } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { avatarBytesMax, sdpBytesMax } from '#contract';
import type { AppEnv, Deps } from './deps.ts';
import { problem, renderError } from './problem.ts';
import { authRoutes } from './routes/auth.ts';
import { docsRoutes } from './routes/docs.ts';
import { emailRoutes } from './routes/email.ts';
import { guestRoutes } from './routes/guests.ts';
import { healthRoutes } from './routes/health.ts';
import { internalRoutes } from './routes/internal.ts';
import { ledgerRoutes } from './routes/ledger.ts';
import { moneyRoutes } from './routes/money.ts';
import { ownAccountRoutes } from './routes/own-account.ts';
import { ownProfileRoutes } from './routes/own-profile.ts';
import { passkeyRoutes } from './routes/passkeys.ts';
import { passwordRoutes } from './routes/password.ts';
import { paymentRoutes } from './routes/payments.ts';
import { payoutRoutes } from './routes/payouts.ts';
import { refundRoutes } from './routes/refunds.ts';
import { countryBlockRoutes, relationRoutes } from './routes/relations.ts';
import { roomRoutes } from './routes/rooms.ts';
import { scheduleRoutes } from './routes/schedule.ts';
import { searchRoutes } from './routes/search.ts';
import { secondFactorRoutes } from './routes/second-factor.ts';
import { sessionRoutes } from './routes/sessions.ts';
import { staffRoutes } from './routes/staff.ts';
import { stageRoutes } from './routes/stage.ts';
import { ingestRoutes, streamKeyRoutes } from './routes/stream-keys.ts';
import { streamRoutes } from './routes/streams.ts';
import { avatarRoutes, userRoutes } from './routes/users.ts';
import { walletRoutes } from './routes/wallet.ts';
import { webhookRoutes } from './routes/webhooks.ts';
import { whepRoutes, whipRoutes } from './routes/whip.ts';
import { crossOrigin } from './services/cross-origin.ts';
import { observe } from './services/observe.ts';

const bodyBytesMax = 64 * 1024;
/** The routes that take something else than JSON. */
const avatarPath = '/v1/users/me/avatar';
const offerPaths = /^\/v1\/(?:whip|whep)(?:\/|$)/;
/** Reports of a node with thousands of rooms are the largest bodies. */
const reportBytesMax = 1024 * 1024;
const publicKeysCacheSeconds = 60;
/** Files with a hash in their name never change. */
const hashedFileCache = 'public, max-age=31536000, immutable';

/** The routes that clients call; their types flow into `hc<Api>`. */
export function createApi(deps: Deps) {
  return new Hono<AppEnv>()
    .route('/v1/auth', authRoutes(deps))
    .route('/v1/auth/sessions', sessionRoutes(deps))
    .route('/v1/auth/password', passwordRoutes(deps))
    .route('/v1/auth/email', emailRoutes(deps))
    .route('/v1/users/me', ownAccountRoutes(deps))
    .route('/v1/auth/second-factor', secondFactorRoutes(deps))
    .route('/v1/auth/passkeys', passkeyRoutes(deps))
    .route('/v1/guests', guestRoutes(deps))
    .route('/v1/users/me', ownProfileRoutes(deps))
    .route('/v1/users/me/following', relationRoutes(deps, 'follow'))
    .route('/v1/users/me/blocks', relationRoutes(deps, 'block'))
    .route('/v1/users/me/mutes', relationRoutes(deps, 'mute'))
    .route('/v1/users/me/country-blocks', countryBlockRoutes(deps))
    .route('/v1/users/me/schedule', scheduleRoutes(deps))
    .route('/v1/users', userRoutes(deps))
    .route('/v1/avatars', avatarRoutes(deps))
    .route('/v1/streams', streamRoutes(deps))
    .route('/v1/streams', roomRoutes(deps))
    .route('/v1/streams', stageRoutes(deps))
    .route('/v1/stream-keys', streamKeyRoutes(deps))
    .route('/v1/ingest', ingestRoutes(deps))
    .route('/v1/whip', whipRoutes(deps))
    .route('/v1/whep', whepRoutes(deps))
    .route('/v1/search', searchRoutes(deps))
    .route('/v1/payments', paymentRoutes(deps))
    .route('/v1/payments', refundRoutes(deps))
    .route('/v1/payments/webhooks', webhookRoutes(deps))
    .route('/v1/wallet', walletRoutes(deps))
    .route('/v1/payouts', payoutRoutes(deps))
    .route('/v1/ledger', ledgerRoutes(deps))
    .route('/v1/admin', staffRoutes(deps))
    .route('/v1', moneyRoutes(deps));
}
export type Api = ReturnType<typeof createApi>;

/** `assets` answers what is no route: the client's files. */
export function createApp(
  deps: Deps,
  assets: (request: Request) => Promise<Response | null> = async () => null,
): Hono<AppEnv> {
  const api = createApi(deps);
  const app = new Hono<AppEnv>()
    .use(observe(deps))
    .use('/v1/*', crossOrigin(deps))
    .use(
      '/v1/*',
      withBody(
        byPath({
          usual: limitBody(bodyBytesMax),
          ofAvatar: limitBody(avatarBytesMax),
          ofOffer: limitBody(sdpBytesMax),
        }),
      ),
    )
    .use('/v1/*', withBody(byPath({ usual: onlyJson, ofAvatar: ownTypes, ofOffer: ownTypes })))
    .use('/internal/*', withBody(limitBody(reportBytesMax)), withBody(onlyJson))
    .route('/', api)
    .route('/internal', internalRoutes(deps))
    .route('/', healthRoutes(deps))
    .route('/', docsRoutes(deps, api))
    .get('/.well-known/jwks.json', (c) => {
      c.header('cache-control', `public, max-age=${publicKeysCacheSeconds}`);
      return c.json(deps.signer.publicKeys());
    });

  app.notFound(async (c) => {
    const { pathname } = new URL(c.req.url);
    const ours = pathname.startsWith('/v1/') || pathname.startsWith('/internal/');
    if (!ours && (c.req.method === 'GET' || c.req.method === 'HEAD')) {
      const file = await assets(pageRequest(c.req.raw, pathname));
      // A file that is not there is not the page: a browser of before a deployment must not take it for one.
      const isPageForFile = pathname.startsWith('/assets/') && isPage(file);
      // A copy, because headers of a fetched answer cannot be added to.
      if (file && !isPageForFile) {
        const answer = new Response(file.body, file);
        const isHashed = file.ok && pathname.startsWith('/assets/');
        answer.headers.set('cache-control', isHashed ? hashedFileCache : 'no-cache');
        return answer;
      }
    }
    return renderError(problem('not-found'), c);
  });
  app.onError((error, c) => renderError(error, c));
  return app;
}

/** All streams are watched on one page, whose head names the code of watching; other pages share another. */
function pageRequest(request: Request, pathname: string): Request {
  return pathname.startsWith('/watch/')
    ? new Request(new URL('/watch', request.url), request)
    : request;
}

function isPage(file: Response | null): boolean {
  return file?.headers.get('content-type')?.startsWith('text/html') ?? false;
}

function limitBody(bytesMax: number) {
  return bodyLimit({
    maxSize: bytesMax,
    onError: () => {
      throw problem('body-too-large', { bytesMax });
    },
  });
}

/** For requests that may have a body: looking for one costs the others a copy of the whole request. */
function withBody(handler: MiddlewareHandler<AppEnv>): MiddlewareHandler<AppEnv> {
  return (c, next) =>
    c.req.method === 'GET' || c.req.method === 'HEAD' ? next() : handler(c, next);
}

function byPath(handlers: {
  usual: MiddlewareHandler<AppEnv>;
  ofAvatar: MiddlewareHandler<AppEnv>;
  ofOffer: MiddlewareHandler<AppEnv>;
}): MiddlewareHandler<AppEnv> {
  const { usual, ofAvatar, ofOffer } = handlers;
  return (c, next) => {
    const { path } = c.req;
    if (path === avatarPath) return ofAvatar(c, next);
    return offerPaths.test(path) ? ofOffer(c, next) : usual(c, next);
  };
}

/** Whether the request says that it brings a body (RFC 9112, section 6.3). */
function hasBody(c: Context<AppEnv>): boolean {
  const length = c.req.header('content-length');
  return length === undefined ? c.req.header('transfer-encoding') !== undefined : length !== '0';
}

/** A page elsewhere can send other types without asking first, and none of them is ours. */
const onlyJson: MiddlewareHandler<AppEnv> = async (c, next) => {
  const type = c.req.header('content-type') ?? '';
  if (hasBody(c) && !/^application\/json\b/i.test(type)) throw problem('unsupported-media-type');
  await next();
};

/** The route itself says what it takes, to those who may call it. */
const ownTypes: MiddlewareHandler<AppEnv> = (_, next) => next();
