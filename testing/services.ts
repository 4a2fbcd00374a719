// Addresses of the PostgreSQL and the Redis that the test run has started.
import { inject } from 'vitest';

type Provided = 'postgresUrl' | 'redisUrl';

function provided(key: Provided): string {
  const read = inject as unknown as (key: Provided) => string;
  return read(key);
}

/** The server's maintenance database, as its superuser. */
export function postgresUrl(): string {
  return provided('postgresUrl');
}

export function redisUrl(): string {
  return provided('redisUrl');
}
