// libsrt, the reference implementation of SRT: the functions of its C interface that a listener needs.
import koffi, { type LibraryHandle } from 'koffi';

/** As Debian, Homebrew and its own build name it. */
const usualNames = [
  'libsrt-openssl.so.1.5',
  'libsrt-gnutls.so.1.5',
  'libsrt.so.1.5',
  'libsrt.so.1',
  'libsrt.dylib',
  '/opt/homebrew/lib/libsrt.dylib',
  '/usr/local/lib/libsrt.dylib',
];

export type SrtLibrary = ReturnType<typeof bind>;

/** Null where there is none. */
export function loadSrtLibrary(name: string | undefined): SrtLibrary | null {
  for (const candidate of name === undefined ? usualNames : [name]) {
    try {
      return bind(koffi.load(candidate));
    } catch {
      // Not under this name.
    }
  }
  return null;
}

function bind(library: LibraryHandle) {
  const uwait = library.func('int srt_epoll_uwait(int, void *, int, int64_t)');
  return {
    startUp: (): number => library.func('int srt_startup()')(),
    cleanUp: (): number => library.func('int srt_cleanup()')(),
    setLogLevel: library.func('void srt_setloglevel(int)') as (level: number) => void,
    createSocket: library.func('int srt_create_socket()') as () => number,
    bind: library.func('int srt_bind(int, void *, int)') as SocketCall,
    listen: library.func('int srt_listen(int, int)') as (socket: number, backlog: number) => number,
    accept: library.func('int srt_accept(int, void *, void *)') as OutCall,
    setFlag: library.func('int srt_setsockflag(int, int, void *, int)') as FlagCall<number>,
    getFlag: library.func('int srt_getsockflag(int, int, void *, void *)') as FlagCall<Buffer>,
    localName: library.func('int srt_getsockname(int, void *, void *)') as OutCall,
    receive: library.func('int srt_recvmsg(int, void *, int)') as SocketCall,
    close: library.func('int srt_close(int)') as (socket: number) => number,
    lastError: library.func('str srt_getlasterror_str()') as () => string,
    createPoll: library.func('int srt_epoll_create()') as () => number,
    watch: library.func('int srt_epoll_add_usock(int, int, void *)') as WatchCall,
    unwatch: library.func('int srt_epoll_remove_usock(int, int)') as WatchEndCall,
    releasePoll: library.func('int srt_epoll_release(int)') as (poll: number) => number,
    /** Waits on a thread of its own; answers how many events there are. */
    wait: (poll: number, events: Buffer, eventsMax: number, timeoutMs: number) =>
      new Promise<number>((resolve, reject) => {
        uwait.async(poll, events, eventsMax, timeoutMs, (error: unknown, count: number) =>
          error ? reject(error) : resolve(count),
        );
      }),
  };
}

type SocketCall = (socket: number, bytes: Buffer, length: number) => number;
type OutCall = (socket: number, bytes: Buffer, length: Buffer) => number;
type FlagCall<Length> = (socket: number, flag: number, value: Buffer, length: Length) => number;
type WatchCall = (poll: number, socket: number, events: Buffer) => number;
type WatchEndCall = (poll: number, socket: number) => number;
