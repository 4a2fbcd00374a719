// The gateway's answers: what counts as one, what is a refusal, and what leaves us in the dark.
import { z } from 'zod';
import { type Problem, problem } from '../problem.ts';

/** The gateway understood the request and said no. Asking again changes nothing. */
export class GatewayRefusal extends Error {
  readonly status: number;
  /** The gateway's words, for the log and for staff. */
  readonly description: string;
  /** Its word for the kind of refusal, such as `input_validation_failed`. */
  readonly reason: string | null;
  /** The field that does not fit. */
  readonly field: string | null;

  constructor(status: number, error: ErrorDocument) {
    super(`the gateway answered ${status}: ${error.description}`);
    this.name = 'GatewayRefusal';
    this.status = status;
    this.description = error.description;
    this.reason = error.reason;
    this.field = error.field;
  }
}

const maybeText = z.string().nullable().default(null);
const ErrorDocument = z.object({
  description: z.string(),
  reason: maybeText,
  field: maybeText,
});
type ErrorDocument = z.infer<typeof ErrorDocument>;

/**
 * These say nothing about what was asked for, only about who asks, or when: wrong keys, an address
 * that is not allowed, a request that came too late, or too often, or while it is being worked on.
 */
const statusesWithoutAnswer = new Set([401, 403, 407, 408, 409, 425, 429]);

/**
 * What to throw for a status that is no success. A 4xx without the gateway's own error document
 * comes from something in between, and is as little of an answer as a 5xx.
 */
export function refusalOf(status: number, error: unknown): GatewayRefusal | Problem {
  const isAnswer = status >= 400 && status <= 499 && !statusesWithoutAnswer.has(status);
  const document = ErrorDocument.safeParse(error);
  if (isAnswer && document.success) return new GatewayRefusal(status, document.data);
  const words = document.success ? `: ${document.data.description}` : '';
  return unavailable(new Error(`the gateway answered ${status}${words}`));
}

/** No trustworthy answer came: whether it was carried out is not known. The cause is for the log. */
export function unavailable(cause: unknown): Problem {
  return Object.assign(problem('gateway-unavailable'), { cause });
}

/** Reads an answer. Throws `gateway-unavailable` when it does not say what it has to. */
export function readAnswer<T>(schema: z.ZodType<T>, answer: unknown): T {
  const parsed = schema.safeParse(answer);
  if (parsed.success) return parsed.data;
  throw unavailable(parsed.error);
}

/** What the gateway knows, or null when it refuses to know any such thing. */
export async function nullWhenRefused<T>(answer: Promise<T>): Promise<T | null> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof GatewayRefusal) return null;
    throw error;
  }
}

/** Paise, as a number or as digits: the gateway has both. */
export const GatewayPaise = z.union([
  z.int().nonnegative(),
  z
    .string()
    .regex(/^\d{1,15}$/)
    .transform(Number),
]);

/** Notes are an object, and an empty list when there are none. */
export const GatewayNotes = z.union([
  z.record(z.string(), z.coerce.string()),
  z
    .array(z.unknown())
    .nullish()
    .transform((): Record<string, string> => ({})),
]);

/**
 * The note by which a thing is found that was made with an idempotency key: the gateways do not
 * show the key itself.
 */
export const keyNote = 'idempotency_key';
