// Validation: a request's parts against the contract's schemas, which also become its documentation.
import { zValidator } from '@hono/zod-validator';
import type { ValidationTargets } from 'hono';
import { resolver, uniqueSymbol } from 'hono-openapi';
import type { z } from 'zod';
import { problem } from '../problem.ts';

/** Parses `target` or refuses with `invalid-request`, naming every field that is wrong. */
export function validate<T extends z.ZodType, Target extends keyof ValidationTargets>(
  target: Target,
  schema: T,
) {
  const middleware = zValidator(target, schema, (result) => {
    if (result.success) return;
    throw problem('invalid-request', {
      errors: result.error.issues.map((issue) => ({
        path: issue.path.join('.'),
        message: issue.message,
      })),
    });
  });
  // The mark by which the OpenAPI generator finds a validator's schema.
  return Object.assign(middleware, { [uniqueSymbol]: { target, ...resolver(schema) } });
}
