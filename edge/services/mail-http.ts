// Mail over HTTP, in the protocol of Resend: the way that every runtime has, and the only one of Workers.
import { z } from 'zod';
import { MailFailure, type MailSender } from './mail.ts';

/** Nobody waits for the answer; one that is lost costs a second request, and no second mail. */
const answerTimeoutMsDefault = 5_000;

/** What the provider says when it has understood the request and means no. */
const refusedStatuses = new Set([400, 422]);
/** These say something about us, which somebody can put right while the mail waits. */
const ownFaults = new Set(['invalid_from_address', 'invalid_idempotency_key']);

const ErrorDocument = z.object({ name: z.string().regex(/^[a-z_]{1,60}$/) });

/** Mails of one id are sent once: the provider remembers ids for a day, which is longer than mails are tried for. */
export function createHttpMailSender(options: {
  /** Such as `https://api.resend.com`. */
  apiUrl: string;
  apiKey: string;
  /** `LivePanty <no-reply@example.com>` */
  from: string;
  answerTimeoutMs?: number;
}): MailSender {
  const { apiKey, from, answerTimeoutMs = answerTimeoutMsDefault } = options;
  const url = `${options.apiUrl.replace(/\/+$/, '')}/emails`;

  async function post(id: string, body: object): Promise<{ status: number; json: unknown }> {
    try {
      const answer = await fetch(url, {
        method: 'POST',
        headers: {
          authorization: `Bearer ${apiKey}`,
          'content-type': 'application/json',
          'idempotency-key': id,
        },
        body: JSON.stringify(body),
        // Followed, a POST would become a GET.
        redirect: 'manual',
        // Counts until the body is read.
        signal: AbortSignal.timeout(answerTimeoutMs),
      });
      if (!answer.ok) return { status: answer.status, json: parseJson(await answer.text()) };
      await answer.body?.cancel();
      return { status: answer.status, json: null };
    } catch (error) {
      throw new MailFailure('later', 'no answer', error);
    }
  }

  return {
    async send({ id, to, subject, text, html }) {
      const { status, json } = await post(id, {
        from,
        to: [to],
        subject,
        text,
        html,
        // Nobody's holiday notice answers it (RFC 3834).
        headers: { 'Auto-Submitted': 'auto-generated' },
      });
      if (status >= 200 && status <= 299) return;
      const document = ErrorDocument.safeParse(json);
      const name = document.data?.name;
      const isRefusal = refusedStatuses.has(status) && name !== undefined && !ownFaults.has(name);
      throw new MailFailure(
        isRefusal ? 'refused' : 'later',
        `answered ${status}${name === undefined ? '' : ` ${name}`}`,
      );
    },
  };
}

/** Null for what is no JSON: it comes from something in between. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
