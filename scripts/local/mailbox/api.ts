// The HTTP API, in the protocol of Resend: `POST /emails` with a bearer key, and once for each idempotency key.
import type { HttpBindings } from '@hono/node-server';
import { Hono, type MiddlewareHandler } from 'hono';
import type { ContentfulStatusCode } from 'hono/utils/http-status';
import { z } from 'zod';
import { equalSecrets } from '../equal-secrets.ts';
import type { FaultSwitch } from './faults.ts';
import type { MailStore } from './mail-store.ts';

export type MailboxEnv = { Bindings: HttpBindings };

const receiversMax = 50;
/** The oldest are forgotten; the real provider remembers them for a day. */
const keysMax = 5_000;

/** `Name <address>`, or the address alone. */
const Address = z.string().transform((text, context) => {
  const address = /<([^<>]*)>$/.exec(text)?.[1] ?? text;
  if (z.email().safeParse(address).success) return { text, address };
  context.addIssue({ code: 'custom', message: 'The email address needs to follow the format' });
  return z.NEVER;
});

const Email = z.object({
  from: Address,
  to: z.union([Address.transform((to) => [to]), z.array(Address).min(1).max(receiversMax)]),
  subject: z.string().min(1),
  text: z.string().default(''),
  html: z.string().nullable().default(null),
});

/** A refusal in the provider's words. */
class ApiRefusal extends Error {
  readonly status: ContentfulStatusCode;
  readonly body: { statusCode: number; name: string; message: string };

  constructor(status: ContentfulStatusCode, name: string, message: string) {
    super(message);
    this.status = status;
    this.body = { statusCode: status, name, message };
  }
}

/** Lets in who presents the key. */
export function bearerAuth(apiKey: string): MiddlewareHandler<MailboxEnv> {
  return async (c, next) => {
    const given = /^Bearer (.+)$/i.exec(c.req.header('authorization') ?? '')?.[1];
    if (given === undefined) throw new ApiRefusal(401, 'missing_api_key', 'Missing API key');
    if (!equalSecrets(given, apiKey)) {
      throw new ApiRefusal(403, 'invalid_api_key', 'API key is invalid');
    }
    await next();
  };
}

/** A refusal as the provider answers it; null for any other error. */
export function refusalIn(error: Error): Pick<ApiRefusal, 'status' | 'body'> | null {
  return error instanceof ApiRefusal ? error : null;
}

/** The routes that senders use. */
export function createApi(parts: { store: MailStore; faults: FaultSwitch; apiKey: string }) {
  const { store, faults, apiKey } = parts;
  const known = new Map<string, { body: string; id: string }>();

  function remember(key: string, body: string, id: string): void {
    known.set(key, { body, id });
    const [oldest] = known.keys();
    if (known.size > keysMax && oldest !== undefined) known.delete(oldest);
  }

  return new Hono<MailboxEnv>().post('/emails', bearerAuth(apiKey), async (c) => {
    const body = await c.req.text();
    const email = parseEmail(body);
    const fault = faults.hit(email.to[0]?.address ?? '');
    if (fault.delayMs > 0) await new Promise((resolve) => setTimeout(resolve, fault.delayMs));
    if (fault.mode === 'error') {
      throw new ApiRefusal(500, 'application_error', 'An unexpected error occurred');
    }
    if (fault.mode === 'refuse') {
      throw new ApiRefusal(422, 'validation_error', 'Invalid `to` field');
    }
    const key = c.req.header('idempotency-key') ?? null;
    const before = key === null ? undefined : known.get(key);
    if (before && before.body !== body) {
      throw new ApiRefusal(
        409,
        'invalid_idempotent_request',
        'Same idempotency key used with a different request payload',
      );
    }
    const id = before?.id ?? keep(email, key);
    if (key !== null) remember(key, body, id);
    if (fault.mode === 'drop-answer') c.env.outgoing.destroy();
    return c.json({ id });
  });

  function keep(email: z.infer<typeof Email>, key: string | null): string {
    const { id } = store.keep({
      senderId: key,
      via: 'http',
      from: email.from.text,
      to: email.to.map(({ address }) => address),
      subject: email.subject,
      text: email.text,
      html: email.html,
    });
    return id;
  }
}

function parseEmail(body: string): z.infer<typeof Email> {
  const parsed = Email.safeParse(parseJson(body));
  if (parsed.success) return parsed.data;
  const field = String(parsed.error.issues[0]?.path[0] ?? 'body');
  throw new ApiRefusal(422, 'validation_error', `Invalid \`${field}\` field`);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // What is no JSON has no fields.
    return {};
  }
}
