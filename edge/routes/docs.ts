// API documents: the OpenAPI description, and pages of it for people.
import { Hono } from 'hono';
import { generateSpecs } from 'hono-openapi';
import type { AppEnv, Deps } from '../deps.ts';
import { docsStyle, renderOperations, renderProblems } from '../services/docs-page.ts';

export function docsRoutes(deps: Deps, api: Hono<AppEnv>) {
  const describe = () =>
    generateSpecs(api, {
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

  return new Hono<AppEnv>()
    .get('/openapi.json', async (c) => c.json(await describe(), 200))
    .get('/docs', async (c) => c.html(renderOperations(await describe())))
    .get('/docs/problems', (c) => c.html(renderProblems()))
    .get('/docs/style.css', (c) => c.body(docsStyle, 200, { 'content-type': 'text/css' }));
}
