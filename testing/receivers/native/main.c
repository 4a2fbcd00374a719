// Many WebRTC receivers in one thread, driven by lines on stdin: `receivers <SRTP suite>`.
//
// In:  add <id> <local ufrag> <local pwd> <remote ufrag> <remote pwd> <IPv4> <port> <sha-256 fingerprint>
//      feed <id>                    what is sent to the port that it answers goes out on that transport
//      count | streams <id> | remove <id>
// Out: ready <own fingerprint>      once
//      connected <id> <at>          the media is secured; times are in microseconds of the monotonic clock
//      first <id> <ssrc> <at>       the first packet of a stream
//      lull <id> <ssrc> <from> <to> nothing of a stream came between these times
//      last <id> <ssrc> <at>        its last packet, when the receiver ends
//      failed <id> <why>            also for one that the server has closed
//      feeding <id> <port>
//      counted <connected> <packets> <bytes> <gaps> <refused>      of all streams since the start
//      stream <id> <ssrc> <packets> <bytes> <gaps> <at the last>, for each, then streamed <id>
//
// It ends when stdin does. Bytes are those of RTP, its head included, without what SRTP adds.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "receiver.h"

enum { events_max = 512, batch_max = 32, line_chars_max = 2048, idle_wait_ms = 5 };
enum { socket_buffer_bytes = 1 << 20 };
static const uint64_t ask_again_us = 50 * 1000, path_timeout_us = 15 * 1000 * 1000;
static const uint64_t consent_every_us = 5 * 1000 * 1000, consent_lost_us = 30 * 1000 * 1000;
static const uint64_t report_every_us = 1000 * 1000;
/** Between two looks at the sockets, so that one look finds the packets of many. */
static const struct timespec nap = {.tv_nsec = 1000 * 1000};

struct totals totals;
static struct receiver *receivers[RECEIVERS_MAX];
static unsigned ids_used;
static int poll_fd;
/** Of receivers that are gone. */
static uint64_t gaps_before;

uint64_t now_us(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1000000ull + now.tv_nsec / 1000;
}

void tell_first(const struct receiver *r, const struct stream *s) {
  printf("first %u %" PRIu32 " %" PRIu64 "\n", r->id, s->ssrc, s->last_at_us);
}

void tell_lull(const struct receiver *r, const struct stream *s, uint64_t now) {
  printf("lull %u %" PRIu32 " %" PRIu64 " %" PRIu64 "\n", r->id, s->ssrc, s->last_at_us, now);
}

/** epoll tells us the id of a receiver, and by the lowest bit which of its sockets it is. */
static void watch(int fd, unsigned id, bool is_feed) {
  struct epoll_event event = {.events = EPOLLIN, .data.u32 = id << 1 | is_feed};
  epoll_ctl(poll_fd, EPOLL_CTL_ADD, fd, &event);
}

static void end_receiver(struct receiver *r) {
  if (r->secured) totals.secured--;
  for (unsigned i = 0; i < r->streams_used; i++) {
    const struct stream *s = &r->streams[i];
    gaps_before += rtp_gaps(s);
    printf("last %u %" PRIu32 " %" PRIu64 "\n", r->id, s->ssrc, s->last_at_us);
  }
  secure_end(r);
  close(r->socket);
  if (r->feed >= 0) close(r->feed);
  receivers[r->id] = NULL;
  free(r);
}

static void fail(struct receiver *r, const char *why) {
  printf("failed %u %s\n", r->id, why);
  end_receiver(r);
}

/** False: the receiver is no more. */
static bool go_on(struct receiver *r, const uint8_t *data, size_t bytes) {
  const bool was_secured = r->secured;
  const char *fault = secure_go_on(r, data, bytes);
  if (r->secured && !was_secured) {
    totals.secured++;
    // Reports of all receivers are spread over the time between two of one.
    r->report_due_at_us = now_us() + r->id * 7919ull * 1000 % report_every_us;
    printf("connected %u %" PRIu64 "\n", r->id, now_us());
  }
  if (fault) fail(r, fault);
  return !fault;
}

static bool take_datagram(struct receiver *r, uint8_t *data, size_t bytes) {
  if (bytes > 0 && data[0] >= 128 && data[0] < 192) {
    rtp_take(r, data, bytes);
  } else if (bytes > 0 && data[0] >= 20 && data[0] < 64) {
    return go_on(r, data, bytes);
  } else if (ice_is_stun(data, bytes) && ice_take(r, data, bytes)) {
    r->answered_at_us = now_us();
    if (r->path_stands) return true;
    r->path_stands = true;
    return go_on(r, NULL, 0);
  }
  return true;
}

static void take_datagrams(struct receiver *r) {
  static uint8_t room[batch_max][DATAGRAM_MAX];
  struct iovec vectors[batch_max];
  struct mmsghdr batch[batch_max];
  int got;
  do {
    memset(batch, 0, sizeof batch);
    for (int i = 0; i < batch_max; i++) {
      vectors[i] = (struct iovec){room[i], DATAGRAM_MAX};
      batch[i].msg_hdr.msg_iov = &vectors[i];
      batch[i].msg_hdr.msg_iovlen = 1;
    }
    got = recvmmsg(r->socket, batch, batch_max, MSG_DONTWAIT, NULL);
    for (int i = 0; i < got; i++) {
      if (!take_datagram(r, room[i], batch[i].msg_len)) return;
    }
  } while (got == batch_max);
}

/** Does what time asks for: questions of ICE, lost parts of the handshake, reports. */
static void keep_up(struct receiver *r, uint64_t now) {
  const uint64_t every = r->path_stands ? consent_every_us : ask_again_us;
  if (now - r->added_at_us > path_timeout_us && !r->secured) return fail(r, "no connection in time");
  if (r->path_stands && now - r->answered_at_us > consent_lost_us) return fail(r, "the server is silent");
  if (now - r->asked_at_us >= every) ice_ask(r);
  if (r->path_stands && !r->secured && !go_on(r, NULL, 0)) return;
  if (r->secured && now >= r->report_due_at_us) {
    rtp_report(r);
    r->report_due_at_us = now + report_every_us;
  }
  r->due_at_us = now + (r->secured ? report_every_us / 20 : ask_again_us / 5);
}

static int open_socket(void) {
  const int fd = socket(AF_INET, SOCK_DGRAM, 0), bytes = socket_buffer_bytes;
  setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
  return fd;
}

static void add(const char *line) {
  struct receiver *r = calloc(1, sizeof *r);
  struct sockaddr_in server = {.sin_family = AF_INET};
  char host[NAME_CHARS_MAX];
  unsigned port;
  const int read = sscanf(line, "add %u %99s %99s %99s %99s %99s %u %99s", &r->id, r->local_ufrag,
                          r->local_pwd, r->remote_ufrag, r->remote_pwd, host, &port, r->remote_fingerprint);
  if (read != 8 || r->id >= RECEIVERS_MAX || receivers[r->id] || !inet_aton(host, &server.sin_addr)) {
    printf("failed %u it cannot be added\n", r->id);
    free(r);
    return;
  }
  server.sin_port = htons(port);
  r->socket = open_socket();
  r->feed = -1;
  r->added_at_us = now_us();
  receivers[r->id] = r;
  if (r->id >= ids_used) ids_used = r->id + 1;
  if (connect(r->socket, (struct sockaddr *)&server, sizeof server) != 0) return fail(r, strerror(errno));
  watch(r->socket, r->id, false);
  secure_start(r);
  ice_ask(r);
}

static void feed(struct receiver *r) {
  struct sockaddr_in own = {.sin_family = AF_INET};
  socklen_t size = sizeof own;
  own.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (r->feed < 0) {
    r->feed = open_socket();
    bind(r->feed, (struct sockaddr *)&own, sizeof own);
    watch(r->feed, r->id, true);
  }
  getsockname(r->feed, (struct sockaddr *)&own, &size);
  printf("feeding %u %u\n", r->id, ntohs(own.sin_port));
}

static void tell_streams(const struct receiver *r) {
  for (unsigned i = 0; i < r->streams_used; i++) {
    const struct stream *s = &r->streams[i];
    printf("stream %u %" PRIu32 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 "\n", r->id, s->ssrc, s->packets,
           s->bytes, rtp_gaps(s), s->last_at_us);
  }
}

static void tell_counts(void) {
  uint64_t gaps = gaps_before;
  for (unsigned id = 0; id < ids_used; id++) {
    const struct receiver *r = receivers[id];
    for (unsigned i = 0; r && i < r->streams_used; i++) gaps += rtp_gaps(&r->streams[i]);
  }
  printf("counted %u %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 "\n", totals.secured, totals.packets,
         totals.bytes, gaps, totals.refused);
}

static void obey(const char *line) {
  char word[16] = "";
  unsigned id = RECEIVERS_MAX;
  sscanf(line, "%15s %u", word, &id);
  struct receiver *r = id < RECEIVERS_MAX ? receivers[id] : NULL;
  if (strcmp(word, "add") == 0) add(line);
  else if (strcmp(word, "count") == 0) tell_counts();
  else if (strcmp(word, "feed") == 0 && r) feed(r);
  else if (strcmp(word, "remove") == 0 && r) end_receiver(r);
  else if (strcmp(word, "streams") == 0) {
    if (r) tell_streams(r);
    printf("streamed %u\n", id);
  }
}

/** False at the end of stdin. */
static bool read_lines(void) {
  static char text[16 * line_chars_max];
  static size_t used;
  const ssize_t got = read(STDIN_FILENO, text + used, sizeof text - 1 - used);
  if (got <= 0) return false;
  used += got;
  text[used] = 0;
  char *line = text;
  for (char *end; (end = strchr(line, '\n')); line = end + 1) {
    *end = 0;
    obey(line);
  }
  used -= line - text;
  memmove(text, line, used);
  return used < line_chars_max;
}

int main(int count, char **arguments) {
  if (count != 2 || !secure_open(arguments[1])) {
    fprintf(stderr, "usage: receivers AEAD_AES_128_GCM|AES_CM_128_HMAC_SHA1_80\n");
    return 2;
  }
  poll_fd = epoll_create1(0);
  watch(STDIN_FILENO, RECEIVERS_MAX, false);
  printf("ready %s\n", secure_fingerprint());
  for (;;) {
    struct epoll_event events[events_max];
    fflush(stdout);
    const int ready = epoll_wait(poll_fd, events, events_max, idle_wait_ms);
    bool told = false;
    for (int i = 0; i < ready; i++) {
      const unsigned id = events[i].data.u32 >> 1;
      if (id == RECEIVERS_MAX) told = true;
      else if (!receivers[id]) continue;
      else if (events[i].data.u32 & 1) rtp_feed(receivers[id]);
      else take_datagrams(receivers[id]);
    }
    // Last, because it may make a receiver of an id that has an event here.
    if (told && !read_lines()) return 0;
    const uint64_t now = now_us();
    for (unsigned id = 0; id < ids_used; id++) {
      if (receivers[id] && now >= receivers[id]->due_at_us) keep_up(receivers[id], now);
    }
    if (ready > 0) nanosleep(&nap, NULL);
  }
}
