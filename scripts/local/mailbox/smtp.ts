// The SMTP server: takes mails to anybody and keeps them.
import type { TlsOptions } from 'node:tls';
import { SMTPServer, type SMTPServerDataStream, type SMTPServerSession } from 'smtp-server';
import { assert } from '#contract';
import { type FaultSwitch, type MailFault, noFault } from './faults.ts';
import type { MailStore } from './mail-store.ts';
import { readMime } from './mime.ts';

const mailBytesMax = 256 * 1024;
const closeTimeoutMs = 100;

export interface SmtpListener {
  port: number;
  close(): Promise<void>;
}

/** `tls` for tests of what a sender does with it: without, connections are plain. */
export async function startSmtp(options: {
  port: number;
  store: MailStore;
  faults: FaultSwitch;
  tls?: Pick<TlsOptions, 'key' | 'cert'> & { secure?: boolean };
}): Promise<SmtpListener> {
  const { store, faults, tls } = options;
  const faultOf = new WeakMap<SMTPServerSession, MailFault>();

  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: tls ? ['AUTH'] : ['AUTH', 'STARTTLS'],
    disableReverseLookup: true,
    size: mailBytesMax,
    rejectOversized: true,
    closeTimeout: closeTimeoutMs,
    ...tls,
    onRcptTo({ address }, session, done) {
      const fault = faults.hit(address);
      faultOf.set(session, fault);
      if (fault.mode === 'refuse') done(reply(550, `<${address}>: user unknown`));
      else if (fault.mode === 'error') done(reply(451, 'local error in processing'));
      else done();
    },
    onData(stream, session, done) {
      take(stream, session).then((isAnswered) => {
        if (isAnswered) done();
        else cut(session);
      }, done);
    },
  });
  // A client that goes away in mid-sentence is no reason to end.
  server.on('error', () => {});

  /** Answers whether the sender is to be told. */
  async function take(stream: SMTPServerDataStream, session: SMTPServerSession): Promise<boolean> {
    const fault = faultOf.get(session) ?? noFault;
    const chunks: Buffer[] = [];
    for await (const chunk of stream) chunks.push(chunk);
    if (fault.delayMs > 0) await new Promise((resolve) => setTimeout(resolve, fault.delayMs));
    if (!stream.sizeExceeded) {
      const { messageId: senderId, ...content } = readMime(
        Buffer.concat(chunks).toString('latin1'),
      );
      const to = session.envelope.rcptTo.map(({ address }) => address);
      store.keep({ ...content, senderId, via: 'smtp', to });
    }
    return fault.mode !== 'drop-answer';
  }

  function cut(session: SMTPServerSession): void {
    for (const connection of server.connections) {
      if (connection.id === session.id) connection._socket.destroy();
    }
  }

  await new Promise<void>((resolve, reject) => {
    server.server.once('error', reject);
    server.listen(options.port, '127.0.0.1', () => resolve());
  });
  const address = server.server.address();
  assert(typeof address === 'object' && address !== null, 'a listening server has a port');
  let closed: Promise<void> | null = null;
  return {
    port: address.port,
    close() {
      closed ??= new Promise<void>((resolve) => server.close(() => resolve()));
      return closed;
    },
  };
}

function reply(responseCode: number, message: string): Error {
  return Object.assign(new Error(message), { responseCode });
}
