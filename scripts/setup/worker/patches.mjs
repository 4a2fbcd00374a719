// The edits that the worker's sources need before they build against a system's own libraries.

import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * @typedef {object} Patch
 * @property {string} file    path inside the worker's sources
 * @property {string} why
 * @property {RegExp} find    global, so that `times` can be checked
 * @property {string} replace
 * @property {number} times   how often `find` must match: anything else is another mediasoup
 */

/** @type {Patch[]} */
const patches = [
  {
    file: 'meson.build',
    why: 'meson 1.0 is enough for the parts of it that are left',
    find: /meson_version: '>= 1\.1\.0'/g,
    replace: "meson_version: '>= 1.0.0'",
    times: 1,
  },
  {
    file: 'meson.build',
    why: 'our subprojects have none of the options that upstream sets',
    find: /subproject\(\s*('[^']+'),\s*default_options: \[[^\]]*\],?\s*\)/g,
    replace: 'subproject($1)',
    times: 7,
  },
  {
    file: 'deps/libwebrtc/meson.build',
    why: 'the same',
    find: /subproject\(\s*('[^']+'),\s*default_options: \[[^\]]*\],?\s*\)/g,
    replace: 'subproject($1)',
    times: 1,
  },
  {
    file: 'meson.build',
    why: 'a dependency by name would be looked up in the wraps, which are gone',
    find: /= dependency\('unordered_dense'\)/g,
    replace: "= subproject('unordered-dense').get_variable('ankerl_unordered_dense_dep')",
    times: 1,
  },
  {
    file: 'meson.build',
    why: 'system libraries are no build targets; the lists only serve the library for Rust',
    find: /link_whole (\+?=) \[[^\]]*\]/g,
    replace: 'link_whole $1 []',
    times: 3,
  },
  {
    file: 'meson.build',
    why: 'no tests and no fuzzer: they come last in the file',
    find: /\nmock_sources = \[[\s\S]*$/g,
    replace: '\n',
    times: 1,
  },
  {
    // OpenSSL with kernel TLS asks the BIO whether the kernel encrypts. On the way back of any
    // operation the callback must hand on what the operation returned; upstream compares for
    // equality where several bits are set, so it says "yes" to that question, and the first DTLS
    // handshake ends in a segmentation fault.
    file: 'src/RTC/DtlsTransport.cpp',
    why: 'BIO_CB_RETURN is a bit, not a value',
    find: /\(operationType == BIO_CB_RETURN\)/g,
    replace: '((operationType & BIO_CB_RETURN) != 0)',
    times: 1,
  },
];

/**
 * @param {string} workerDir a private copy of mediasoup's worker/ folder
 */
export async function applyPatches(workerDir) {
  for (const { file, why, find, replace, times } of patches) {
    const path = join(workerDir, file);
    const before = await readFile(path, 'utf8');
    const found = [...before.matchAll(find)].length;
    if (found !== times) {
      throw new Error(
        `mediasoup's worker/${file} is not the one this set-up knows (wanted ${times} of ${find}, found ${found}; patch: ${why})`,
      );
    }
    await writeFile(path, before.replace(find, replace));
  }
}
