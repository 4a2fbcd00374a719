// The edge app: every route, the same on every runtime.
import { Hono, type MiddlewareHandler } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { secureHeaders } from 'hono/secure-headers';
import type { Config } from './config.ts';
import type { AppEnv, Deps } from './deps.ts';
import { problem, renderError } from './problem.ts';
import { authRoutes } from './routes/auth.ts';
import { docsRoutes } from './routes/docs.ts';
import { healthRoutes } from './routes/health.ts';
import { internalRoutes } from './routes/internal.ts';
import { ledgerRoutes } from './routes/ledger.ts';
import { moneyRoutes } from './routes/money.ts';
import { paymentRoutes } from './routes/payments.ts';
import { payoutRoutes } from './routes/payouts.ts';
import { refundRoutes } from './routes/refunds.ts';
import { staffRoutes } from './routes/staff.ts';
import { streamRoutes } from './routes/streams.ts';
import { walletRoutes } from './routes/wallet.ts';
import { webhookRoutes } from './routes/webhooks.ts';
import { observe } from './services/observe.ts';

const bodyBytesMax = 64 * 1024;
/** Reports of a node with thousands of rooms are the largest bodies. */
const reportBytesMax = 1024 * 1024;
const publicKeysCacheSeconds = 60;
/** Files with a hash in their name never change. */
const hashedFileCache = 'public, max-age=31536000, immutable';

/** The routes that clients call; their types flow into `hc<Api>`. */
export function createApi(deps: Deps) {
  return new Hono<AppEnv>()
    .route('/v1/auth', authRoutes(deps))
    .route('/v1/streams', streamRoutes(deps))
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
    .use(securityHeaders(deps.config))
    .use('/v1/*', limitBody(bodyBytesMax), onlyJson, storeNothing)
    .use('/internal/*', limitBody(reportBytesMax), onlyJson)
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

const onlyJson: MiddlewareHandler<AppEnv> = async (c, next) => {
  const hasBody = c.req.method !== 'GET' && c.req.method !== 'HEAD' && c.req.raw.body !== null;
  const type = c.req.header('content-type') ?? '';
  if (hasBody && type !== '' && !/^application\/json\b/i.test(type)) {
    throw problem('unsupported-media-type');
  }
  await next();
};

/** Answers are about somebody unless a route says otherwise. */
const storeNothing: MiddlewareHandler<AppEnv> = async (c, next) => {
  await next();
  if (!c.res.headers.has('cache-control')) c.header('cache-control', 'no-store');
};

function securityHeaders(config: Config) {
  const checkout = new URL(config.RAZORPAY_CHECKOUT_URL).origin;
  // The gateway's Checkout opens its pages from its API's origin, too.
  const gateway = [...new Set([checkout, new URL(config.RAZORPAY_API_URL).origin])];
  const secure = config.APP_ORIGIN.startsWith('https:');
  return secureHeaders({
    // A route that has a stricter policy for what it answers keeps it.
    overwrite: false,
    contentSecurityPolicy: {
      defaultSrc: ["'self'"],
      scriptSrc: ["'self'", checkout],
      styleSrc: ["'self'"],
      imgSrc: ["'self'", 'data:', 'blob:', ...config.MEDIA_ORIGINS],
      connectSrc: ["'self'", ...config.MEDIA_ORIGINS, ...gateway],
      mediaSrc: ["'self'", 'blob:', ...config.MEDIA_ORIGINS],
      frameSrc: gateway,
      workerSrc: ["'self'", 'blob:'],
      objectSrc: ["'none'"],
      baseUri: ["'none'"],
      formAction: ["'self'"],
      frameAncestors: ["'none'"],
    },
    referrerPolicy: 'strict-origin-when-cross-origin',
    // Checkout may open a bank's page in a window and must hear from it.
    crossOriginOpenerPolicy: 'same-origin-allow-popups',
    strictTransportSecurity: secure ? 'max-age=31536000; includeSubDomains' : false,
    permissionsPolicy: { camera: ['self'], microphone: ['self'], displayCapture: ['self'] },
  });
}
