// Receivers: what their parts know of each other.
#ifndef RECEIVER_H
#define RECEIVER_H

#include <openssl/ssl.h>
#include <srtp2/srtp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Ids are given by whoever drives us: 0 to this, exclusive. */
#define RECEIVERS_MAX 8192
/** RTP streams of one receiver: a picture, a sound, and some to spare. */
#define STREAMS_MAX 8
/** A datagram that we take, and room for what SRTP adds to one that we send. */
#define DATAGRAM_MAX 2048
/** Of ICE, and fingerprints. */
#define NAME_CHARS_MAX 100

/** One RTP stream that arrives, counted as in RFC 3550, appendix A. */
struct stream {
  uint32_t ssrc;
  /** Sequence numbers, extended over their wraps. */
  uint32_t first, highest;
  uint64_t packets, bytes;
  uint64_t last_at_us;
  /** As of the last report to the sender. */
  uint32_t expected_before;
  uint64_t packets_before;
};

struct receiver {
  unsigned id;
  /** Connected to the server's candidate. */
  int socket;
  /** What comes here as plain RTP or RTCP is sent on, secured; -1: this one only receives. */
  int feed;
  /** The last that has fed us: what the server says of its media goes there. */
  uint16_t feeder_port;

  char local_ufrag[NAME_CHARS_MAX], local_pwd[NAME_CHARS_MAX];
  char remote_ufrag[NAME_CHARS_MAX], remote_pwd[NAME_CHARS_MAX];
  char remote_fingerprint[NAME_CHARS_MAX];
  uint8_t transaction[12];
  uint64_t asked_at_us, answered_at_us;
  bool path_stands;

  SSL *ssl;
  /** The DTLS datagram that is being read. */
  const uint8_t *dtls_in;
  size_t dtls_in_bytes;
  bool secured;
  srtp_t inbound, outbound;

  struct stream streams[STREAMS_MAX];
  unsigned streams_used;
  uint64_t added_at_us, due_at_us, report_due_at_us;
};

/** What all receivers have done since the start. */
struct totals {
  unsigned secured;
  uint64_t packets, bytes;
  /** Packets that SRTP did not let through, or of one stream too many. */
  uint64_t refused;
};
extern struct totals totals;

uint64_t now_us(void);

// ice.c: the controlling side of ICE with a single path (RFC 8445), and consent (RFC 7675).
bool ice_is_stun(const uint8_t *data, size_t bytes);
void ice_ask(struct receiver *r);
/** True for the answer to our last question. */
bool ice_take(struct receiver *r, const uint8_t *data, size_t bytes);

// secure.c: DTLS 1.2 as the client, and the keys of SRTP that come of it (RFC 5764).
/** False for a suite that is not known. */
bool secure_open(const char *suite);
const char *secure_fingerprint(void);
void secure_start(struct receiver *r);
/** Goes on with the handshake after a datagram, or without one; null, or what went wrong. */
const char *secure_go_on(struct receiver *r, const uint8_t *data, size_t bytes);
void secure_end(struct receiver *r);

// rtp.c: what arrives is counted, and reported to the server; what is fed is secured and sent.
void rtp_take(struct receiver *r, uint8_t *data, size_t bytes);
void rtp_report(struct receiver *r);
void rtp_feed(struct receiver *r);
uint64_t rtp_gaps(const struct stream *s);

// main.c
void tell_first(const struct receiver *r, const struct stream *s);
/** Nothing of a stream had come for a while, until now. */
void tell_lull(const struct receiver *r, const struct stream *s, uint64_t now);

#endif
