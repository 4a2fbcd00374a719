// A network of our own: the whole proof runs in a namespace that the kernel removes with its last process, so that
// nothing of it is left on the machine, whatever ends it.
import { spawn, spawnSync } from 'node:child_process';

/** How the proof ends where it cannot be made. */
export const impossibleExitCode = 3;

const markVariable = 'LIVEPANTY_PRIVATE_NETWORK';
const programs = { unshare: 'util-linux', nsenter: 'util-linux', ip: 'iproute2', nft: 'nftables' };
/** As root, or as anybody where the kernel lets people make user namespaces. */
const ways = [['--net'], ['--user', '--map-current-user', '--keep-caps', '--net']];

/**
 * Runs this program once more in a network of its own, and ends with it; returns in there. Ends the process with a
 * sentence and `impossibleExitCode` where neither way works.
 */
export async function enterPrivateNetwork(): Promise<void> {
  if (process.env[markVariable] !== undefined) {
    run('ip', ['link', 'set', 'lo', 'up']);
    return;
  }
  const missing = Object.entries(programs).filter(([name]) => !isRunnable(name));
  if (missing.length > 0) {
    const names = missing.map(([name]) => name).join(', ');
    const packages = [...new Set(missing.map(([, inPackage]) => inPackage))].join(' ');
    refuse(`Missing: ${names}. On Debian: apt-get install --no-install-recommends ${packages}`);
  }
  // What it does first in there is what tells whether it may.
  const first = 'ip link add type veth && nft add table inet probe';
  const way = ways.find(
    (flags) => spawnSync('unshare', [...flags, 'sh', '-c', first]).status === 0,
  );
  if (!way) {
    refuse(
      'No network namespace can be made: run it as root, or allow user namespaces (sysctl user.max_user_namespaces and kernel.unprivileged_userns_clone), with veth and nf_tables in the kernel.',
    );
  }
  const args = [...way, process.execPath, ...process.execArgv, ...process.argv.slice(1)];
  const child = spawn('unshare', args, {
    stdio: 'inherit',
    env: { ...process.env, [markVariable]: '1' },
  });
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => child.kill(signal));
  const code = await new Promise<number>((resolve) => {
    child.once('exit', (status) => resolve(status ?? 1));
  });
  process.exit(code);
}

/** Runs a program to its end; throws with what it said when it fails. */
export function run(file: string, args: readonly string[]): void {
  const { status, stderr, error } = spawnSync(file, args, { encoding: 'utf8' });
  if (status === 0) return;
  throw new Error(`${file} ${args.join(' ')}: ${error?.message ?? stderr.trim()}`);
}

function isRunnable(name: string): boolean {
  return spawnSync('sh', ['-c', `command -v ${name}`]).status === 0;
}

function refuse(why: string): never {
  console.error(`The proof needs network namespaces. ${why}`);
  process.exit(impossibleExitCode);
}
