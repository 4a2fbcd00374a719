// The sources of libsrtp 2, from the source packages of the Debian-like system that we run on.

import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { tryCommand } from '../command.mjs';
import { isDebianLike } from '../debian.mjs';

const LOG = 'libsrtp';
const APT_SECONDS = 120;
const PACKAGE = 'libsrtp2';
const PUBLIC_HEADERS = [
  'include/srtp.h',
  'crypto/include/auth.h',
  'crypto/include/cipher.h',
  'crypto/include/crypto_types.h',
];

/** How it is built to encrypt with OpenSSL: the worker says the same in subprojects/libsrtp3. */
export const libsrtpOptions = [
  '-Dcrypto-library=openssl',
  '-Dcrypto-library-kdf=disabled',
  '-Dtests=disabled',
  '-Dpcap-tests=disabled',
  '-Ddoc=disabled',
];

/**
 * @param {string} sources a folder to make and to put them in
 * @param {string} scratchDir
 * @returns {Promise<boolean>} false where the system offers no source packages
 */
export async function unpackLibsrtp(sources, scratchDir) {
  if (!isDebianLike()) return false;
  const archive = await downloadSources(scratchDir);
  if (!archive) return false;
  mkdirSync(sources);
  const args = ['-xf', archive, '-C', sources, '--strip-components=1'];
  const { code } = await tryCommand('tar', args, { log: LOG, append: true });
  return code === 0 && existsSync(join(sources, 'meson.build'));
}

/**
 * Puts them where the local subproject "libsrtp3" looks for them.
 * @param {string} subprojectsDir
 * @param {string} scratchDir
 * @returns {Promise<boolean>} false where the system offers no source packages
 */
export async function addLibsrtpSources(subprojectsDir, scratchDir) {
  const sources = join(subprojectsDir, 'libsrtp2');
  if (!(await unpackLibsrtp(sources, scratchDir))) return false;
  for (const header of PUBLIC_HEADERS) {
    const name = header.split('/').at(-1) ?? '';
    cpSync(join(sources, header), join(subprojectsDir, 'libsrtp3/include/srtp2', name));
  }
  return true;
}

/**
 * With package lists and a cache of our own: the system's configuration stays as it is, and no root
 * is needed. apt checks what it gets against the archive's signatures.
 * @param {string} scratchDir
 * @returns {Promise<string | undefined>} the path of the archive
 */
async function downloadSources(scratchDir) {
  const sourcesDir = join(scratchDir, 'sources.list.d');
  const listsDir = join(scratchDir, 'lists');
  const downloadDir = join(scratchDir, 'download');
  for (const folder of [sourcesDir, join(listsDir, 'partial'), downloadDir]) {
    mkdirSync(folder, { recursive: true });
  }
  const { output: policy } = await tryCommand('apt-cache', ['policy', `${PACKAGE}-dev`], {
    log: LOG,
  });
  writeSourceEntries(sourcesDir, policy);

  const settings = {
    'Dir::Etc::sourcelist': '/dev/null',
    'Dir::Etc::sourceparts': sourcesDir,
    'Dir::State::lists': listsDir,
    'Dir::Cache': join(scratchDir, 'cache'),
    'Acquire::Languages': 'none',
    'Acquire::Retries': '1',
    'Acquire::http::Timeout': '20',
    // The user that root's downloads are given to otherwise cannot write to our folders.
    'APT::Sandbox::User': '',
  };
  const options = Object.entries(settings).flatMap(([name, value]) => ['-o', `${name}=${value}`]);
  for (const args of [['update'], ['source', '--download-only', PACKAGE]]) {
    const { code } = await tryCommand('apt-get', [...options, ...args], {
      log: LOG,
      append: true,
      cwd: downloadDir,
      timeoutSeconds: APT_SECONDS,
    });
    if (code !== 0) return undefined;
  }
  const name = readdirSync(downloadDir).find((file) => file.includes('.orig.tar.'));
  return name && join(downloadDir, name);
}

/**
 * Copies the system's entries for packages as entries for source packages: those of the archives that
 * offer libsrtp to the system, because others (of vendors, mostly) may have no sources at all.
 * @param {string} sourcesDir
 * @param {string} policy what `apt-cache policy` says of libsrtp
 */
function writeSourceEntries(sourcesDir, policy) {
  const archives = [...policy.matchAll(/^\s+\d+ ([a-z+]+:\S+) /gm)].map(([, uri]) => uri ?? '');
  const wanted = (/** @type {string} */ entry) =>
    archives.length === 0 || archives.some((uri) => entry.includes(uri.replace(/\/$/, '')));

  const folder = '/etc/apt/sources.list.d';
  const files = existsSync(folder) ? readdirSync(folder).map((name) => join(folder, name)) : [];
  const lines = [];
  const stanzas = [];
  for (const file of ['/etc/apt/sources.list', ...files].filter((path) => existsSync(path))) {
    const text = /\.(list|sources)$/.test(file) ? readFileSync(file, 'utf8') : '';
    if (file.endsWith('.list')) {
      lines.push(...text.split('\n').filter((line) => /^deb\s/.test(line) && wanted(line)));
    } else {
      stanzas.push(
        ...text
          .split(/\n\s*\n/)
          .filter((stanza) => /^Types:.*\bdeb\b/m.test(stanza) && wanted(stanza))
          .filter((stanza) => !/^Enabled:\s*no/im.test(stanza)),
      );
    }
  }
  const sourceLines = lines.map((line) => line.replace(/^deb/, 'deb-src'));
  const sourceStanzas = stanzas.map((stanza) => stanza.replace(/^Types:.*$/m, 'Types: deb-src'));
  writeFileSync(join(sourcesDir, 'sources.list'), `${sourceLines.join('\n')}\n`);
  writeFileSync(join(sourcesDir, 'system.sources'), `${sourceStanzas.join('\n\n')}\n`);
}
