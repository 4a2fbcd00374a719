// What Node, Bun and Deno share: dependencies over a PostgreSQL pool, the client's files from disk.
import { writeSync } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import * as path from 'node:path';
import { fileURLToPath } from 'node:url';
import { connectPostgres } from '#db/postgres';
import { connectReads } from '#db/postgres-reads';
import { createApp } from '../app.ts';
import { type Config, httpMailOf, readConfig } from '../config.ts';
import type { Deps } from '../deps.ts';
import { describeError } from '../problem.ts';
import { buildDeps } from '../services/build-deps.ts';
import type { MailSender } from '../services/mail.ts';
import { createHttpMailSender } from '../services/mail-http.ts';
import { revocationsPaceMs } from '../services/revocations.ts';
import { createBatchingTipDesk } from '../services/tip-desk.ts';
import { createHashThreads } from './hash-threads.ts';
import { loadInvoiceFonts } from './invoice-font-files.ts';
import { createSmtpMailSender } from './mail-smtp.ts';

const clientFolder = fileURLToPath(new URL('../../client/dist', import.meta.url));

const mediaTypes: Record<string, string> = {
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.ico': 'image/x-icon',
  '.js': 'text/javascript; charset=utf-8',
  '.json': 'application/json',
  '.png': 'image/png',
  '.svg': 'image/svg+xml',
  '.txt': 'text/plain; charset=utf-8',
  '.webmanifest': 'application/manifest+json',
  '.woff2': 'font/woff2',
};

export interface ServerParts {
  deps: Deps;
  fetch: (request: Request, socketAddress: string) => Promise<Response>;
  /** Waits for deferred work, then lets go of the database. */
  close: () => Promise<void>;
}

/** Builds the app from the environment. */
export async function createServerParts(
  env: Record<string, string | undefined>,
  service: string,
): Promise<ServerParts> {
  const config = readConfig(env);
  const pool = connectPostgres(config.DATABASE_URL, {
    onError: (error) => deps.log.warn('idle database connection lost', { error: error.message }),
  });
  const reads = connectReads(config.DATABASE_URL, {
    onError: (error) => deps.log.warn('connection of reads lost', { error: error.message }),
  });
  const threads = createHashThreads();
  const deps: Deps = await buildDeps(config, {
    db: pool.db,
    reads,
    passwords: threads.hasher,
    tips: createBatchingTipDesk(pool.db),
    invoiceFonts: once(loadInvoiceFonts),
    mailSender: mailSenderOf(config),
    sharesWork: true,
    die: (failpoint) => {
      // Without waiting for anything: whatever is buffered is lost, as it is in a crash.
      writeSync(process.stderr.fd, `killed at ${failpoint}\n`);
      process.kill(process.pid, 'SIGKILL');
    },
    service,
  });
  const app = createApp(deps, readClientFile);
  const asking = setInterval(() => {
    // A request that needs to know asks by itself, and is refused while nobody can tell.
    deps.revocations.refresh().catch(() => {});
  }, revocationsPaceMs);
  const deferred = new Set<Promise<unknown>>();
  const defer = (work: Promise<unknown>) => {
    const settled = work.catch((error: unknown) => {
      deps.log.error('deferred work failed', { error: describeError(error) });
    });
    deferred.add(settled);
    settled.finally(() => deferred.delete(settled));
  };
  return {
    deps,
    fetch: async (request, socketAddress) =>
      app.fetch(request, { defer, socketAddress, country: '' }),
    async close() {
      clearInterval(asking);
      await Promise.all(deferred);
      await threads.close();
      await Promise.all([reads.close(), pool.close()]);
    },
  };
}

function mailSenderOf(config: Config): MailSender {
  const { MAIL_SMTP_URL: server, MAIL_FROM: from } = config;
  return server ? createSmtpMailSender({ server, from }) : createHttpMailSender(httpMailOf(config));
}

/** Keeps what succeeded; a failure is tried again. */
function once<T>(load: () => Promise<T>): () => Promise<T> {
  let loaded: T | undefined;
  return async () => {
    loaded ??= await load();
    return loaded;
  };
}

/** A file of the built client, or its page for any other address, which the client routes itself. */
async function readClientFile(request: Request): Promise<Response | null> {
  const pathname = decodePath(new URL(request.url).pathname);
  if (pathname === null) return null;
  const wanted = path.join(clientFolder, path.normalize(pathname));
  const isPage = path.extname(pathname) === '';
  const file = isPage
    ? ((await fileAt(`${wanted}.html`)) ?? path.join(clientFolder, 'index.html'))
    : await fileAt(wanted);
  const bytes = file && (await readFile(file).catch(() => null));
  if (!file || !bytes) return null;
  return new Response(new Uint8Array(bytes), {
    headers: { 'content-type': mediaTypes[path.extname(file)] ?? 'application/octet-stream' },
  });
}

/** The path when it is a file of the client, and not one that lies outside. */
async function fileAt(file: string): Promise<string | null> {
  const isInside = file.startsWith(clientFolder + path.sep);
  return isInside && (await stat(file).catch(() => null))?.isFile() ? file : null;
}

/** Null for an escape that is none. */
function decodePath(pathname: string): string | null {
  try {
    return decodeURIComponent(pathname);
  } catch {
    return null;
  }
}

export function listenPort(env: Record<string, string | undefined>): number {
  return Number(env.EDGE_PORT ?? 8787);
}
