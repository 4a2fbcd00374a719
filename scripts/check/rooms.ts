// The room arrows: fails when one room imports what it may not, or reaches past another room's door.
import { readdirSync, readFileSync } from 'node:fs';
import * as path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** What each room may import of the others, by their doors; `type:` allows `import type` only. */
const arrows: Record<string, readonly string[]> = {
  contract: [],
  db: ['#contract'],
  edge: ['#contract', '#db', '#db/postgres', '#db/postgres-reads', '#db/neon'],
  'sfu-cluster': ['#contract'],
  transcoder: ['#contract'],
  bridge: ['#contract'],
  client: ['#contract', 'type:#edge'],
};

/** Packages that a room may use; rooms that are not named here may use any. */
const packages: Record<string, readonly string[]> = { contract: ['zod'] };

export interface ImportFound {
  specifier: string;
  typeOnly: boolean;
}

const importPattern =
  /(?:^|\n)\s*(?:import|export)\s+(type\s+)?(?:[^'"`;]*?\sfrom\s+)?['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]\s*\)/g;

/** Every module that a source text names. */
export function importsOf(source: string): ImportFound[] {
  return [...source.matchAll(importPattern)].map(([, typeOnly, named, dynamic]) => ({
    specifier: named ?? dynamic ?? '',
    typeOnly: typeOnly !== undefined,
  }));
}

/** Why a file of a room may not import this; null when it may. `file` is relative to the root. */
export function faultOf(file: string, found: ImportFound): string | null {
  const room = file.split(path.posix.sep)[0] ?? '';
  const allowed = arrows[room];
  if (!allowed) return null;
  const { specifier, typeOnly } = found;
  if (specifier.startsWith('.')) {
    const target = path.posix.join(path.posix.dirname(file), specifier);
    if (target.startsWith(`${room}/testing/`) && !isForTests(file)) {
      return `uses ${target}, which is for tests`;
    }
    if (target.startsWith(`${room}/`)) return null;
    // Tests stand on real parts that `testing/` and the launcher bring up.
    if (isForTests(file) && /^(testing|scripts)\//.test(target)) return null;
    return `reaches out of ${room}/ to ${target}`;
  }
  if (specifier.startsWith('#')) {
    if (allowed.includes(specifier) || (typeOnly && allowed.includes(`type:${specifier}`))) {
      return null;
    }
    // A test may look into the books or prepare rows, whatever its room.
    if (isForTests(file)) return null;
    return `${room}/ may not import ${typeOnly ? 'types of ' : ''}${specifier}`;
  }
  const own = packages[room];
  const name = specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
  if (own && !isForTests(file) && !own.includes(name))
    return `${room}/ may not use the package ${name}`;
  return null;
}

/** A test, or what the tests of a room share. */
function isForTests(file: string): boolean {
  return /\.test\.tsx?$|^[^/]+\/testing\//.test(file);
}

function sourcesOf(room: string): string[] {
  return readdirSync(path.join(root, room), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.tsx?$/.test(entry.name))
    .map((entry) => path.relative(root, path.join(entry.parentPath, entry.name)))
    .filter((file) => !file.startsWith('client/dist'));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const files = Object.keys(arrows).flatMap(sourcesOf);
  const faults = files.flatMap((file) =>
    importsOf(readFileSync(path.join(root, file), 'utf8')).flatMap((found) => {
      const fault = faultOf(file, found);
      return fault ? [`${file}: ${fault}`] : [];
    }),
  );
  for (const fault of faults) console.error(fault);
  console.log(`rooms: ${files.length} files, ${faults.length} forbidden imports`);
  process.exitCode = faults.length > 0 ? 1 : 0;
}
