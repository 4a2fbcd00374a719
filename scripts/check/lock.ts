// The lock file: npm leaves out optional packages of other platforms that its registry does not carry,
// and then refuses the file on every other machine. This finds them, and with `--fix` puts them back.
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

interface LockEntry {
  version?: string;
  dev?: boolean;
  optional?: boolean;
  os?: string[];
  cpu?: string[];
  libc?: string[];
  optionalDependencies?: Record<string, string>;
}
interface Lock {
  packages: Record<string, LockEntry>;
}

const systems = [
  'android',
  'darwin',
  'freebsd',
  'linux',
  'netbsd',
  'openbsd',
  'openharmony',
  'sunos',
  'win32',
];
const processors: [part: string, cpu: string][] = [
  ['arm64', 'arm64'],
  ['x64', 'x64'],
  ['ia32', 'ia32'],
  ['arm-', 'arm'],
  ['riscv64', 'riscv64'],
  ['s390x', 's390x'],
  ['ppc64', 'ppc64'],
  ['loong64', 'loong64'],
  ['mips64el', 'mips64el'],
];

/** Optional packages that others ask for and the lock file does not name, ready to be added. */
export function missingEntries(lock: Lock): Record<string, LockEntry> {
  const missing: Record<string, LockEntry> = {};
  for (const [path, entry] of Object.entries(lock.packages)) {
    for (const [name, range] of Object.entries(entry.optionalDependencies ?? {})) {
      if (!isNamed(lock, path, name)) {
        missing[`node_modules/${name}`] = entryOf(name, range, entry.dev === true);
      }
    }
  }
  return missing;
}

/** Looks where Node would: beside the package that asks, then further up. */
function isNamed(lock: Lock, path: string, name: string): boolean {
  let at = path;
  for (;;) {
    if (lock.packages[`${at ? `${at}/` : ''}node_modules/${name}`]) return true;
    if (at === '') return false;
    at = at.slice(0, at.lastIndexOf('node_modules/')).replace(/\/$/, '');
  }
}

function entryOf(name: string, range: string, dev: boolean): LockEntry {
  const text = `${name.replace('windows', 'win32')}-`;
  const os = systems.find((system) => text.includes(system));
  const cpu = processors.find(([part]) => text.includes(part))?.[1];
  const libc = text.includes('musl')
    ? 'musl'
    : /gnu|glibc/.test(text) && os === 'linux'
      ? 'glibc'
      : null;
  if (!os && !cpu)
    throw new Error(`${name} names no platform; add it to package-lock.json by hand`);
  return {
    version: range.replace(/^[\^~]/, ''),
    ...(dev ? { dev } : {}),
    optional: true,
    ...(os ? { os: [os] } : {}),
    ...(cpu ? { cpu: [cpu] } : {}),
    ...(libc ? { libc: [libc] } : {}),
  };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const file = fileURLToPath(new URL('../../package-lock.json', import.meta.url));
  const lock = JSON.parse(readFileSync(file, 'utf8')) as Lock;
  const missing = missingEntries(lock);
  const names = Object.keys(missing);
  if (names.length > 0 && process.argv.includes('--fix')) {
    const all = Object.entries({ ...lock.packages, ...missing });
    all.sort(([a], [b]) => (a < b ? -1 : 1));
    writeFileSync(
      file,
      `${JSON.stringify({ ...lock, packages: Object.fromEntries(all) }, null, 2)}\n`,
    );
    console.log(`package-lock.json: ${names.length} entries added`);
  } else {
    for (const name of names) console.error(`missing in package-lock.json: ${name}`);
    if (names.length > 0)
      console.error('add them: node scripts/run.mjs scripts/check/lock.ts --fix');
    process.exitCode = names.length > 0 ? 1 : 0;
  }
}
