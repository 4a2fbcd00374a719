// The check of the API's documents: every answer that a test gets is one that the OpenAPI document tells of.
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import formats from 'ajv-formats';
import { z } from 'zod';

const Documented = z.object({
  content: z
    .record(
      z.string(),
      z.object({
        schema: z.unknown().optional(),
        examples: z.record(z.string(), z.unknown()).optional(),
      }),
    )
    .optional(),
});
const Operation = z.looseObject({ responses: z.record(z.string(), Documented) });
const Document = z.looseObject({
  paths: z.record(z.string(), z.record(z.string(), Operation)),
  components: z.looseObject({ schemas: z.record(z.string(), z.unknown()) }),
});

interface Told {
  status: number;
  headers: Headers;
  /** Of JSON read, of anything else as text; empty for none. */
  body: unknown;
}

export type ApiCheck = ReturnType<typeof createApiCheck>;

/** `openapi` is the document as the edge answers it. */
export function createApiCheck(openapi: unknown) {
  const { paths, components } = Document.parse(openapi);
  const ajv = new Ajv2020({ strict: false, allErrors: true });
  formats.default(ajv);
  for (const [name, schema] of Object.entries(components.schemas)) {
    ajv.addSchema(closed(schema) as object, `#/components/schemas/${name}`);
  }
  const operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { responses }]) => ({
      name: `${method.toUpperCase()} ${path}`,
      method: method.toUpperCase(),
      pattern: new RegExp(`^${path.replaceAll(/\{\w+\}/g, '[^/]+')}$`),
      /** Templates with fewer places to fill in go first. */
      places: path.split('{').length,
      responses,
    })),
  );
  operations.sort((a, b) => a.places - b.places);
  const compiled = new Map<unknown, ValidateFunction>();

  function validatorOf(schema: unknown): ValidateFunction {
    const known = compiled.get(schema);
    if (known) return known;
    const validator = ajv.compile(closed(schema) as object);
    compiled.set(schema, validator);
    return validator;
  }

  function faultOf(responses: z.infer<typeof Operation>['responses'], told: Told): string | null {
    const response = responses[told.status];
    if (!response) return 'a status that is not documented';
    if (!response.content) return told.body === '' ? null : 'a body where none is documented';
    const type = (told.headers.get('content-type') ?? '').split(';')[0] ?? '';
    const content = response.content[type];
    if (!content) return `a media type that is not documented: ${type}`;
    if (content.examples) {
      const { code } = z.object({ code: z.string() }).parse(told.body);
      if (!content.examples[code]) return `a code that is not documented: ${code}`;
    }
    if (content.schema === undefined) return null;
    const validator = validatorOf(content.schema);
    return validator(told.body) ? null : ajv.errorsText(validator.errors);
  }

  /** The operation that a request is of; null for none. */
  function operationOf(method: string, path: string): string | null {
    const [pathname = ''] = path.split('?');
    const found = operations.find((one) => one.method === method && one.pattern.test(pathname));
    return found?.name ?? null;
  }

  return {
    /** Every documented operation, as `GET /v1/streams/{id}`. */
    operations: operations.map(({ name }) => name),
    operationOf,
    /** Throws when an answer is not as documented. */
    check(method: string, path: string, told: Told): void {
      const name = operationOf(method, path);
      const operation = operations.find((one) => one.name === name);
      const fault = operation && faultOf(operation.responses, told);
      if (fault) {
        const body = JSON.stringify(told.body).slice(0, 500);
        throw new Error(`${name} answered ${told.status} with ${fault}\n${body}`);
      }
    },
  };
}

/** What a schema does not name is not there: an answer must not tell more than its document. */
function closed(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(closed);
  if (typeof schema !== 'object' || schema === null) return schema;
  const inner = Object.entries(schema).map(([key, value]) => [
    key,
    key === 'allOf' ? value : closed(value),
  ]);
  const isOpen = 'properties' in schema && !('additionalProperties' in schema);
  return { ...Object.fromEntries(inner), ...(isOpen ? { additionalProperties: false } : {}) };
}
