// Mail over SMTP, for the runtimes that have sockets; Workers never load this.
import { createTransport } from 'nodemailer';
import { z } from 'zod';
import { MailFailure, type MailSender } from '../services/mail.ts';
import type { SmtpServer } from '../services/smtp-server.ts';

const connectTimeoutMs = 5_000;
/** A server may look at a mail for a while before it takes it. */
const silenceTimeoutMs = 20_000;
/** All in all; well within the time that an attempt has a mail for itself. */
const sendTimeoutMs = 30_000;

/** What nodemailer adds to its errors. */
const SmtpError = z.object({
  code: z.string().catch(''),
  command: z.string().catch(''),
  responseCode: z.int().nullable().catch(null),
  /** Whether the server's answer holds for good. */
  permanent: z.boolean().catch(false),
});

/** The steps at which a server speaks of the receiver or of the mail, and not of us. */
const stepsOfMail = new Set(['RCPT TO', 'DATA']);

/**
 * A mail whose answer was lost is sent again: SMTP has no other way to know. It has the same `Message-ID` each time,
 * by which most mailboxes show it once.
 */
export function createSmtpMailSender(options: {
  server: SmtpServer;
  /** `LivePanty <no-reply@example.com>` */
  from: string;
  /** Certificate that is trusted instead of the usual authorities; for tests. */
  ca?: string;
}): MailSender {
  const { server, from, ca } = options;
  const domain = /@([^@>]+)>?$/.exec(from)?.[1] ?? 'localhost';
  const transport = createTransport({
    host: server.host,
    port: server.port,
    secure: server.tls === 'implicit',
    requireTLS: server.tls === 'starttls',
    ignoreTLS: server.tls === 'none',
    ...(server.login ? { auth: { user: server.login.user, pass: server.login.password } } : {}),
    ...(ca === undefined ? {} : { tls: { ca } }),
    connectionTimeout: connectTimeoutMs,
    greetingTimeout: connectTimeoutMs,
    dnsTimeout: connectTimeoutMs,
    socketTimeout: silenceTimeoutMs,
    disableFileAccess: true,
    disableUrlAccess: true,
  });

  return {
    async send({ id, to, subject, text, html }) {
      await inTime(
        transport.sendMail({
          from,
          // As an object it is one address, whatever is in it.
          to: { name: '', address: to },
          subject,
          text,
          html,
          messageId: `<${id}@${domain}>`,
          // Nobody's holiday notice answers it (RFC 3834).
          headers: { 'Auto-Submitted': 'auto-generated' },
        }),
      );
    },
  };
}

async function inTime(sending: Promise<unknown>): Promise<void> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => late.reject(new MailFailure('later', 'no answer in time')),
    sendTimeoutMs,
  );
  try {
    await Promise.race([sending, late.promise]);
  } catch (error) {
    throw error instanceof MailFailure ? error : failureOf(error);
  } finally {
    clearTimeout(timer);
  }
}

function failureOf(error: unknown): MailFailure {
  const { code, command, responseCode, permanent } = SmtpError.parse(error);
  if (responseCode !== null) {
    const isRefusal = permanent && stepsOfMail.has(command);
    return new MailFailure(isRefusal ? 'refused' : 'later', `${command} ${responseCode}`, error);
  }
  // An address that cannot even be written into an envelope.
  const isRefusal = code === 'EENVELOPE' && command === 'API';
  return new MailFailure(isRefusal ? 'refused' : 'later', code || 'no answer', error);
}
