// The edits of the worker's sources: those that they need to build here at all, and those that make it cheaper.

import { copyFile, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * @typedef {object} Patch
 * @property {string} file    path inside the worker's sources
 * @property {string} why
 * @property {RegExp} find    global, so that `times` can be checked
 * @property {string} replace
 * @property {number} times   how often `find` must match: anything else is another mediasoup
 */

/**
 * Before they build against a system's own libraries, and run.
 * @type {Patch[]}
 */
const needed = [
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
 * More packets for the same processor: see sources/UdpSendBatch.hpp.
 * @type {Patch[]}
 */
const cheaper = [
  {
    file: 'meson.build',
    why: 'one more source',
    find: /^ {2}'src\/handles\/UdpSocketHandle\.cpp',$/gm,
    replace: "$&\n  'src/handles/UdpSendBatch.cpp',",
    times: 1,
  },
  {
    file: 'include/handles/UdpSocketHandle.hpp',
    why: 'each socket has a batch',
    find: /^#include "common\.hpp"$/gm,
    replace: '$&\n#include "handles/UdpSendBatch.hpp"',
    times: 1,
  },
  {
    file: 'include/handles/UdpSocketHandle.hpp',
    why: 'the batch sends over the handle of libuv, and counts the bytes',
    find: /^class UdpSocketHandle\n\{$/gm,
    replace: '$&\n\tfriend class UdpSendBatch;\n',
    times: 1,
  },
  {
    file: 'include/handles/UdpSocketHandle.hpp',
    why: 'what cannot be batched goes the old way',
    find: /^private:\n\tvoid InternalClose\(\);$/gm,
    replace:
      '$&\n\tvoid SendAlone(\n\t  const uint8_t* data, size_t len, const struct sockaddr* addr, UdpSocketHandle::onSendCallback* cb);',
    times: 1,
  },
  {
    file: 'include/handles/UdpSocketHandle.hpp',
    why: 'after the handle and the counters, which it uses',
    find: /^\tsize_t sentBytes\{ 0 \};$/gm,
    replace: '$&\n\tUdpSendBatch batch{ this };',
    times: 1,
  },
  {
    file: 'src/handles/UdpSocketHandle.cpp',
    why: 'all that is sent over UDP goes through the batch of its socket: media, RTCP, DTLS, STUN',
    find: /^void UdpSocketHandle::Send\(\n(.*)\n\{\n\tMS_TRACE\(\);\n/gm,
    replace: `void UdpSocketHandle::Send(
$1
{
	MS_TRACE();

	if (this->closed || len == 0 || !this->batch.Add(data, len, addr, cb))
	{
		SendAlone(data, len, addr, cb);
	}
}

void UdpSocketHandle::SendAlone(
$1
{
	MS_TRACE();
`,
    times: 1,
  },
  {
    file: 'src/handles/UdpSocketHandle.cpp',
    why: 'what has been sent before the socket is closed still leaves, as the last alert of DTLS',
    find: /^\tthis->closed = true;$/gm,
    replace: '\tthis->batch.Close();\n\n$&',
    times: 1,
  },
];

/** Where the sources beside this file belong. */
const added = {
  'UdpSendBatch.hpp': 'include/handles',
  'UdpSendBatch.cpp': 'src/handles',
};

/**
 * @param {string} workerDir a private copy of mediasoup's worker/ folder
 * @param {{ asUpstream?: boolean }} [options] asUpstream: only what it takes to build it
 */
export async function applyPatches(workerDir, { asUpstream = false } = {}) {
  await applyAll(workerDir, needed);
  if (asUpstream) return;
  await applyAll(workerDir, cheaper);
  for (const [name, folder] of Object.entries(added)) {
    const source = fileURLToPath(new URL(`sources/${name}`, import.meta.url));
    await copyFile(source, join(workerDir, folder, name));
  }
}

/**
 * @param {string} workerDir
 * @param {readonly Patch[]} patches
 */
async function applyAll(workerDir, patches) {
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
