// `npm start`: brings the whole product up on this machine, shows it, and takes it down again.
import { join, resolve } from 'node:path';
import { type ParseArgsConfig, parseArgs } from 'node:util';
import { StartRefused, startOrRefuse } from '../local/environment.ts';
import { killChildren } from './child.ts';
import { createDisplay } from './display.ts';
import { openLogFiles } from './log-files.ts';
import { portNames, portVariable, usualPort } from './ports.ts';
import { type Stack, startStack } from './stack.ts';
import { workDir } from './work-dir.ts';

const help = `npm start -- [options]

  --quiet                shows warnings and errors only
  --edge <runtime>       workerd (as it is deployed), node, bun or deno
  --data <folder>        where data, secrets and logs lie; .livepanty by default
  --no-client            leaves the client as it is: for work on it with its own dev server
${portNames.map((name) => `  --port-${`${name} <n>`.padEnd(16)}${usualPort(name)} by default; also ${portVariable(name)}`).join('\n')}

DATABASE_URL, REDIS_URL, UPSTASH_REDIS_REST_URL and _TOKEN, RAZORPAY_KEY_ID, _KEY_SECRET and
_WEBHOOK_SECRET, and MAIL_FROM with MAIL_API_URL and _API_KEY (or MAIL_SMTP_URL) point at real services,
which are then not started here.
`;

/** A second Ctrl-C means it when it comes so much later: npm and the terminal both send the first. */
const impatientAfterMs = 500;

/** Node's parser, whose complaints are for the person at the terminal. */
function parseOrRefuse(config: ParseArgsConfig): ReturnType<typeof parseArgs> {
  try {
    return parseArgs(config);
  } catch (error) {
    throw new StartRefused(`${error instanceof Error ? error.message : error}\n\n${help}`);
  }
}

function readArguments(): {
  values: ReturnType<typeof parseArgs>['values'];
  env: NodeJS.ProcessEnv;
} {
  const { values } = parseOrRefuse({
    options: {
      quiet: { type: 'boolean' },
      help: { type: 'boolean' },
      'no-client': { type: 'boolean' },
      edge: { type: 'string' },
      data: { type: 'string' },
      ...Object.fromEntries(portNames.map((name) => [`port-${name}`, { type: 'string' as const }])),
    },
  });
  const env = { ...process.env };
  if (typeof values.edge === 'string') env.LIVEPANTY_EDGE = values.edge;
  for (const name of portNames) {
    const port = Reflect.get(values, `port-${name}`);
    if (typeof port === 'string') env[portVariable(name)] = port;
  }
  return { values, env };
}

async function main(): Promise<void> {
  const startedAt = performance.now();
  const { values, env } = readArguments();
  if (values.help) {
    process.stdout.write(help);
    return;
  }
  const dataDir = resolve(typeof values.data === 'string' ? values.data : workDir);
  const logs = await openLogFiles(join(dataDir, 'logs'));
  const display = createDisplay({
    out: process.stdout,
    quiet: values.quiet === true,
    level: env.LOG_LEVEL === 'debug' ? 'debug' : 'info',
  });

  const ending = new AbortController();
  let endingSince = 0;
  let stack: Stack | null = null;
  const end = async () => {
    if (ending.signal.aborted) return;
    endingSince = Date.now();
    ending.abort();
    display.ending();
    await stack?.stop();
    if (stack) await finish(0);
  };
  const finish = async (code: number) => {
    await logs.close();
    process.exit(code);
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    process.on(signal, () => void end());
  process.on('SIGINT', async () => {
    if (Date.now() - endingSince < impatientAfterMs) return;
    display.endingAtOnce();
    await killChildren();
    process.exit(130);
  });
  // The terminal is closed, or whoever read our lines is gone: nobody is left to show anything to.
  process.stdout.on('error', () => void end());
  process.stderr.on('error', () => {});

  try {
    stack = await startStack({
      dataDir,
      env,
      signal: ending.signal,
      withClient: values['no-client'] !== true,
      onLine: (part, text) => {
        logs.write(part, text);
        display.line(part, text);
      },
      onProgress: (name, state, ms) => display.progress(name, state, ms),
    });
  } catch (error) {
    if (ending.signal.aborted) return finish(0);
    const message = error instanceof Error ? error.message : String(error);
    process.stderr.write(`\n${message}\n`);
    if (!(error instanceof StartRefused)) process.stderr.write(`\nLogs: ${logs.folder}\n`);
    return finish(1);
  }
  if (ending.signal.aborted) {
    await stack.stop();
    return finish(0);
  }
  display.up({
    app: stack.urls.app,
    mailbox: stack.urls.mailbox,
    statuses: stack.statuses(),
    accounts: stack.accounts,
    logsFolder: logs.folder,
    seconds: (performance.now() - startedAt) / 1000,
  });
}

await startOrRefuse(main);
