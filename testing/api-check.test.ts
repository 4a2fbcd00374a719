// The check of the API's documents: what is not documented does not pass.
import { expect, test } from 'vitest';
import { createApiCheck } from './api-check.ts';

const json = (schema: unknown) => ({ content: { 'application/json': { schema } } });
const { check, operationOf, operations } = createApiCheck({
  paths: {
    '/v1/things/{id}': {
      get: {
        responses: {
          200: json({
            type: 'object',
            properties: {
              id: { type: 'string', format: 'uuid' },
              parts: { type: 'array', items: { type: 'object', properties: { name: {} } } },
            },
            required: ['id'],
          }),
          404: {
            content: {
              'application/problem+json': {
                schema: { $ref: '#/components/schemas/Problem' },
                examples: { 'not-found': {} },
              },
            },
          },
        },
      },
      delete: { responses: { 204: {} } },
    },
    '/v1/things/mine': { get: { responses: { 200: { content: { 'text/csv': {} } } } } },
  },
  components: {
    schemas: { Problem: { type: 'object', properties: { code: {} }, additionalProperties: {} } },
  },
});

const id = 'f2b9a4f0-6f1c-4d8e-9d39-0d1a53f4c111';
const told = (status: number, body: unknown, type = 'application/json') => ({
  status,
  body,
  headers: new Headers({ 'content-type': type }),
});
const checkGet = (status: number, body: unknown, type?: string) => () =>
  check('GET', `/v1/things/${id}?at=1`, told(status, body, type));

test('what is documented passes', () => {
  expect(operations).toEqual([
    'GET /v1/things/mine',
    'GET /v1/things/{id}',
    'DELETE /v1/things/{id}',
  ]);
  expect(operationOf('GET', '/v1/things/mine')).toBe('GET /v1/things/mine');
  checkGet(200, { id, parts: [{ name: 'one' }] })();
  checkGet(404, { code: 'not-found', more: 1 }, 'application/problem+json')();
});

test.each([
  ['a status', 201, { id }, undefined],
  ['a media type', 200, 'id', 'text/plain'],
  ['a field that is missing', 200, {}, undefined],
  ['a field that does not fit', 200, { id: 'no' }, undefined],
  ['a field that is not told of', 200, { id, secret: 1 }, undefined],
  ['one within', 200, { id, parts: [{ name: 'one', secret: 1 }] }, undefined],
  ['a code', 404, { code: 'gone' }, 'application/problem+json'],
])('%s is told', (_, status, body, type) => {
  expect(checkGet(status, body, type)).toThrow('GET /v1/things/{id} answered');
});
