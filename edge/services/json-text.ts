// Answers that the database has finished: text that is sent as it came.
import type { Context, TypedResponse } from 'hono';

const jsonHeaders = { 'content-type': 'application/json' };

/** Sends JSON text, which is `T` because the statement that made it says so. */
export function sendJson<T>(
  c: Pick<Context, 'body'>,
  text: string,
): Response & TypedResponse<T, 200, 'json'> {
  // The type is of what is in the body, which nobody reads here.
  return c.body(text, 200, jsonHeaders) as unknown as Response & TypedResponse<T, 200, 'json'>;
}
