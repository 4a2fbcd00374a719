// API documents: the OpenAPI description, and pages of it for people.
import { Hono, type MiddlewareHandler } from 'hono';
import { generateSpecs } from 'hono-openapi';
import type { AppEnv, Deps } from '../deps.ts';
import { docsStyle, renderOperations, renderProblems } from '../services/docs-page.ts';

export function docsRoutes(deps: Deps, api: Hono<AppEnv>) {
  let description: ReturnType<typeof generateSpecs> | undefined;
  const describe = () => {
    // The document never changes while the app runs.
    description ??= generateSpecs(api, {
      documentation: {
        openapi: '3.1.0',
        info: {
          title: 'LivePanty API',
          version: '1',
          description:
            'Live streaming with tipping. Amounts are whole tokens or whole paise. Refusals are ' +
            'problem documents (RFC 9457) whose `code` never changes its meaning.',
        },
        servers: [{ url: deps.config.APP_ORIGIN }],
        components: {
          securitySchemes: {
            bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' },
          },
        },
      },
      defaultValidationErrorResponse: false,
    });
    return description;
  };

  return new Hono<AppEnv>()
    .use('/docs/*', cacheable)
    .use('/openapi.json', cacheable)
    .get('/openapi.json', async (c) => c.json(await describe(), 200))
    .get('/docs', async (c) => c.html(renderOperations(await describe())))
    .get('/docs/problems', (c) => c.html(renderProblems()))
    .get('/docs/style.css', (c) => c.body(docsStyle, 200, { 'content-type': 'text/css' }));
}

const cacheSeconds = 300;

const cacheable: MiddlewareHandler<AppEnv> = async (c, next) => {
  await next();
  c.res.headers.set('cache-control', `public, max-age=${cacheSeconds}`);
};
