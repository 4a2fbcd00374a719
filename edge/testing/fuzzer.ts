// The fuzzer: requests of every documented operation that fit its schema, and then do not, by a seed that tells them again.
import { z } from 'zod';
import { anyOf, type Random } from '../../scripts/prove/random.ts';

const Schema = z.looseObject({
  type: z.union([z.string(), z.array(z.string())]).optional(),
  enum: z.array(z.unknown()).optional(),
  const: z.unknown().optional(),
  anyOf: z.array(z.unknown()).optional(),
  oneOf: z.array(z.unknown()).optional(),
  properties: z.record(z.string(), z.unknown()).optional(),
  required: z.array(z.string()).optional(),
  items: z.unknown().optional(),
  format: z.string().optional(),
  minLength: z.number().optional(),
  maxLength: z.number().optional(),
  minimum: z.number().optional(),
  maximum: z.number().optional(),
});
type Schema = z.infer<typeof Schema>;

const Document = z.looseObject({
  paths: z.record(
    z.string(),
    z.record(
      z.string(),
      z.looseObject({
        parameters: z
          .array(z.looseObject({ in: z.string(), name: z.string(), schema: z.unknown() }))
          .optional(),
        requestBody: z
          .looseObject({
            content: z.looseObject({
              'application/json': z.looseObject({ schema: z.unknown() }).optional(),
            }),
          })
          .optional(),
      }),
    ),
  ),
});

export interface FuzzedRequest {
  method: string;
  path: string;
  /** JSON, or bytes that are none. */
  body: string | undefined;
  headers: Record<string, string>;
}

/** What no schema wants, and what has broken programs before. */
const strange: unknown[] = [
  null,
  true,
  0,
  -1,
  1e308,
  2 ** 53,
  -(2 ** 63),
  0.1,
  '',
  ' ',
  '\u0000',
  '\ud800',
  '\u202e',
  '💥'.repeat(40),
  'a'.repeat(20_000),
  "'; drop table users; --",
  '../../etc/passwd',
  '%00',
  '$(id)',
  '{{7*7}}',
  '<script>alert(1)</script>',
  '00000000-0000-0000-0000-000000000000',
  '9999-12-31T23:59:59Z',
  '0000-01-01',
  'NaN',
  [],
  {},
  [[[[[[[[]]]]]]]],
  { __proto__: { admin: true }, constructor: 1 },
  Array.from({ length: 1_000 }, (_, index) => index),
];

const broken = ['{', '', '[]', 'null', '"text"', '{"a":1,}', '\ufeff{}', '{"a":'.repeat(5_000)];

/** `ids` are of people, streams and the like that exist. */
export function createFuzzer(openapi: unknown, ids: readonly string[], random: Random) {
  const { paths } = Document.parse(openapi);
  const operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({
      name: `${method.toUpperCase()} ${path}`,
      method: method.toUpperCase(),
      path,
      query: (operation.parameters ?? []).filter((one) => one.in === 'query'),
      body: operation.requestBody?.content['application/json']?.schema,
    })),
  );

  const pick = <T>(from: readonly T[]): T => from[anyOf(random, from.length)] as T;
  const chance = (share: number) => random() < share;

  const digits = (count: number) =>
    Array.from({ length: count }, () => anyOf(random, 16).toString(16)).join('');
  const anyId = () => `${digits(8)}-${digits(4)}-4${digits(3)}-8${digits(3)}-${digits(12)}`;

  /** Something that fits a schema, mostly. */
  function fitting(given: unknown): unknown {
    const schema = Schema.parse(given ?? {});
    if ('const' in schema && schema.const !== undefined) return schema.const;
    if (schema.enum) return pick(schema.enum);
    const alternatives = schema.anyOf ?? schema.oneOf;
    if (alternatives) return fitting(pick(alternatives));
    switch (Array.isArray(schema.type) ? pick(schema.type) : schema.type) {
      case 'object':
        return fittingObject(schema);
      case 'array':
        return Array.from({ length: Math.floor(random() * 3) }, () => fitting(schema.items));
      case 'integer':
      case 'number':
        return fittingNumber(schema);
      case 'boolean':
        return chance(0.5);
      case 'string':
        return fittingText(schema);
      default:
        return null;
    }
  }

  function fittingObject({ properties = {}, required = [] }: Schema): Record<string, unknown> {
    const named = Object.entries(properties).filter(
      ([name]) => required.includes(name) || chance(0.6),
    );
    return Object.fromEntries(named.map(([name, schema]) => [name, fitting(schema)]));
  }

  function fittingNumber({ minimum = 0, maximum = 1_000 }: Schema): number {
    if (chance(0.2)) return minimum;
    if (chance(0.1)) return maximum;
    return Math.floor(minimum + random() * Math.min(1_000, maximum - minimum));
  }

  function fittingText({ format, minLength = 0, maxLength = 40 }: Schema): string {
    if (format === 'uuid') return chance(0.7) ? pick(ids) : anyId();
    if (format === 'date-time') return new Date(random() * 4e12).toISOString();
    if (format === 'date') return new Date(random() * 2e12).toISOString().slice(0, 10);
    if (format === 'email') return `fuzz${Math.floor(random() * 1e9)}@example.com`;
    const length =
      minLength + Math.floor(random() * Math.max(1, Math.min(60, maxLength - minLength)));
    return Array.from({ length }, () => pick([...'abcdefgXYZ0123_-'])).join('');
  }

  /** The same with something strange in one place. */
  function bent(value: unknown): unknown {
    if (Array.isArray(value) && value.length > 0 && chance(0.7)) {
      const at = Math.floor(random() * value.length);
      return value.map((held, index) => (index === at ? bent(held) : held));
    }
    if (typeof value === 'object' && value !== null && !Array.isArray(value) && chance(0.8)) {
      const names = [...Object.keys(value), 'more'];
      const name = pick(names);
      return { ...value, [name]: bent(Reflect.get(value, name)) };
    }
    return pick(strange);
  }

  const asPathPart = (value: unknown) =>
    encodeURIComponent(String(value).toWellFormed()).slice(0, 4_000);

  function pathOf(path: string, query: (typeof operations)[number]['query']): string {
    const filled = path.replaceAll(/\{\w+\}/g, () => {
      const part = chance(0.8) ? pick(ids) : asPathPart(pick(strange));
      return part === '' ? 'x' : part;
    });
    const asked = query
      .filter(() => chance(0.6))
      .map(({ name, schema }) => {
        const value = chance(0.6) ? fitting(schema) : pick(strange);
        return `${name}=${asPathPart(typeof value === 'object' ? JSON.stringify(value) : value)}`;
      });
    return asked.length > 0 ? `${filled}?${asked.join('&')}` : filled;
  }

  function bodyOf(schema: unknown): string | undefined {
    if (schema === undefined) return chance(0.1) ? pick(broken) : undefined;
    if (chance(0.1)) return pick(broken);
    const value = fitting(schema);
    return JSON.stringify(chance(0.5) ? bent(value) : value);
  }

  return {
    operations,
    request({ method, path, query, body }: (typeof operations)[number]): FuzzedRequest {
      const text = method === 'GET' ? undefined : bodyOf(body);
      return {
        method,
        path: pathOf(path, query),
        body: text,
        headers: {
          'idempotency-key': chance(0.9) ? anyId() : asPathPart(pick(strange)).slice(0, 200),
          ...(chance(0.5)
            ? { 'if-match': pick(['"1"', '*', '"', 'W/"x"', '"99999999999999999999"']) }
            : {}),
          ...(text !== undefined && chance(0.05) ? { 'content-type': 'text/plain' } : {}),
        },
      };
    },
  };
}
