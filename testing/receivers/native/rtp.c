// RTP: counts of what arrives, receiver reports about it, and the way of what is fed.
#include <arpa/inet.h>
#include <string.h>
#include <sys/socket.h>

#include "receiver.h"

enum { rtcp_receiver_report = 201, lost_max = 0x7fffff };
enum { rtp_head_bytes = 12, rtcp_head_bytes = 8, block_bytes = 24 };
/** Silence of a stream that is worth telling: some frames of a picture. */
static const uint64_t lull_us = 100 * 1000;

static uint32_t get32(const uint8_t *at) {
  uint32_t value;
  memcpy(&value, at, 4);
  return ntohl(value);
}

static void put32(uint8_t *at, uint32_t value) {
  value = htonl(value);
  memcpy(at, &value, 4);
}

/** RFC 5761: payload types 64 to 95 are left to RTCP. */
static bool is_rtcp(const uint8_t *data, size_t bytes) {
  return bytes >= rtcp_head_bytes && data[1] >= 192 && data[1] <= 223;
}

static uint32_t expected(const struct stream *s) { return s->highest - s->first + 1; }

uint64_t rtp_gaps(const struct stream *s) {
  return expected(s) > s->packets ? expected(s) - s->packets : 0;
}

static struct stream *stream_of(struct receiver *r, uint32_t ssrc) {
  for (unsigned i = 0; i < r->streams_used; i++) {
    if (r->streams[i].ssrc == ssrc) return &r->streams[i];
  }
  return NULL;
}

static void count(struct receiver *r, const uint8_t *data, size_t bytes) {
  const uint32_t ssrc = get32(data + 8);
  const uint16_t sequence = data[2] << 8 | data[3];
  const uint64_t now = now_us();
  struct stream *s = stream_of(r, ssrc);
  if (!s) {
    if (r->streams_used == STREAMS_MAX) {
      totals.refused++;
      return;
    }
    s = &r->streams[r->streams_used++];
    // Far enough from nought for a packet that comes before the first one.
    *s = (struct stream){.ssrc = ssrc, .first = 0x10000u + sequence, .highest = 0x10000u + sequence};
    s->last_at_us = now;
    tell_first(r, s);
  }
  if (now - s->last_at_us > lull_us) tell_lull(r, s, now);
  s->last_at_us = now;
  const uint32_t extended = s->highest + (int16_t)(sequence - (uint16_t)s->highest);
  if (extended > s->highest) s->highest = extended;
  if (extended < s->first) s->first = extended;
  s->packets++;
  s->bytes += bytes;
  totals.packets++;
  totals.bytes += bytes;
}

/** What the server says of fed media goes to whoever feeds it. */
static void take_rtcp(const struct receiver *r, const uint8_t *data, size_t bytes) {
  struct sockaddr_in feeder = {.sin_family = AF_INET, .sin_port = r->feeder_port};
  if (r->feed < 0 || r->feeder_port == 0) return;
  feeder.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  sendto(r->feed, data, bytes, 0, (struct sockaddr *)&feeder, sizeof feeder);
}

void rtp_take(struct receiver *r, uint8_t *data, size_t bytes) {
  int length = bytes;
  if (!r->secured || bytes < rtp_head_bytes) return;
  if (is_rtcp(data, bytes)) {
    if (srtp_unprotect_rtcp(r->inbound, data, &length) == srtp_err_status_ok) take_rtcp(r, data, length);
    else totals.refused++;
  } else {
    // A packet that comes twice is one.
    if (srtp_unprotect(r->inbound, data, &length) == srtp_err_status_ok) count(r, data, length);
    else totals.refused++;
  }
}

static void put_block(uint8_t *block, struct stream *s) {
  const uint32_t newly_expected = expected(s) - s->expected_before;
  const uint64_t newly_received = s->packets - s->packets_before;
  uint32_t fraction = 0;
  if (newly_expected > newly_received) fraction = 256 * (newly_expected - newly_received) / newly_expected;
  if (fraction > 255) fraction = 255;
  s->expected_before = expected(s);
  s->packets_before = s->packets;
  const uint64_t gaps = rtp_gaps(s);
  put32(block, s->ssrc);
  put32(block + 4, fraction << 24 | (uint32_t)(gaps < lost_max ? gaps : lost_max));
  // The count of wraps that the server knows of began at none.
  put32(block + 8, s->highest - 0x10000u);
  // Neither jitter nor the times that a round trip is measured with.
  memset(block + 12, 0, 12);
}

void rtp_report(struct receiver *r) {
  uint8_t report[rtcp_head_bytes + STREAMS_MAX * block_bytes + SRTP_MAX_TRAILER_LEN];
  if (r->streams_used == 0) return;
  int bytes = rtcp_head_bytes + r->streams_used * block_bytes;
  put32(report, (0x80u | r->streams_used) << 24 | rtcp_receiver_report << 16 | (bytes / 4 - 1));
  put32(report + 4, r->id + 1);
  for (unsigned i = 0; i < r->streams_used; i++) {
    put_block(report + rtcp_head_bytes + i * block_bytes, &r->streams[i]);
  }
  if (srtp_protect_rtcp(r->outbound, report, &bytes) == srtp_err_status_ok) send(r->socket, report, bytes, 0);
}

void rtp_feed(struct receiver *r) {
  uint8_t packet[DATAGRAM_MAX + SRTP_MAX_TRAILER_LEN];
  struct sockaddr_in feeder;
  for (;;) {
    socklen_t size = sizeof feeder;
    ssize_t got = recvfrom(r->feed, packet, DATAGRAM_MAX, MSG_DONTWAIT, (struct sockaddr *)&feeder, &size);
    if (got < 0) return;
    r->feeder_port = feeder.sin_port;
    if (!r->secured || got < rtcp_head_bytes) continue;
    int bytes = got;
    const srtp_err_status_t status = is_rtcp(packet, bytes)
                                         ? srtp_protect_rtcp(r->outbound, packet, &bytes)
                                         : srtp_protect(r->outbound, packet, &bytes);
    if (status == srtp_err_status_ok) send(r->socket, packet, bytes, 0);
    else totals.refused++;
  }
}
