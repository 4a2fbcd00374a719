// ICE: binding requests that nominate the one path there is, and answers to those of a server that is not ICE-lite.
#include <arpa/inet.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "receiver.h"

enum { request = 0x0001, answer = 0x0101 };
enum {
  username = 0x0006,
  integrity = 0x0008,
  mapped_address = 0x0020,
  priority = 0x0024,
  use_candidate = 0x0025,
  fingerprint = 0x8028,
  controlling = 0x802a,
};
enum { head_bytes = 20, integrity_bytes = 20 };
static const uint32_t cookie = 0x2112a442;
static const uint32_t fingerprint_xor = 0x5354554e;
/** Of a peer-reflexive candidate of the best local preference. */
static const uint32_t priority_told = 0x6effffff;

static void put16(uint8_t *at, uint16_t value) {
  at[0] = value >> 8;
  at[1] = value & 0xff;
}

static void put32(uint8_t *at, uint32_t value) {
  put16(at, value >> 16);
  put16(at + 2, value & 0xffff);
}

static uint16_t get16(const uint8_t *at) { return at[0] << 8 | at[1]; }

static uint32_t crc32_of(const uint8_t *data, size_t bytes) {
  uint32_t crc = ~0u;
  for (size_t i = 0; i < bytes; i++) {
    crc ^= data[i];
    for (int bit = 0; bit < 8; bit++) crc = crc >> 1 ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return ~crc;
}

/** Appends one attribute, padded to four bytes, and corrects the length in the head. */
static size_t append(uint8_t *message, size_t bytes, uint16_t type, const void *value, size_t length) {
  put16(message + bytes, type);
  put16(message + bytes + 2, length);
  memset(message + bytes + 4, 0, (length + 3) & ~3u);
  if (length > 0) memcpy(message + bytes + 4, value, length);
  bytes += 4 + ((length + 3) & ~3u);
  put16(message + 2, bytes - head_bytes);
  return bytes;
}

static void sign(const uint8_t *data, size_t bytes, const char *pwd, uint8_t *into) {
  HMAC(EVP_sha1(), pwd, strlen(pwd), data, bytes, into, NULL);
}

/** Both of these count themselves in the length that they cover. */
static size_t seal(uint8_t *message, size_t bytes, const char *pwd) {
  uint8_t mac[integrity_bytes], crc[4];
  put16(message + 2, bytes - head_bytes + 4 + integrity_bytes);
  sign(message, bytes, pwd, mac);
  bytes = append(message, bytes, integrity, mac, integrity_bytes);
  put16(message + 2, bytes - head_bytes + 4 + 4);
  put32(crc, crc32_of(message, bytes) ^ fingerprint_xor);
  return append(message, bytes, fingerprint, crc, 4);
}

/** Whether the message is whole and signed with this password. */
static bool is_signed(const uint8_t *data, size_t bytes, const char *pwd) {
  if (get16(data + 2) + (size_t)head_bytes > bytes) return false;
  for (size_t at = head_bytes; at + 4 <= bytes;) {
    size_t length = get16(data + at + 2);
    if (at + 4 + length > bytes) return false;
    if (get16(data + at) == integrity && length == integrity_bytes) {
      uint8_t copy[DATAGRAM_MAX], mac[integrity_bytes];
      memcpy(copy, data, at);
      put16(copy + 2, at + 4 + integrity_bytes - head_bytes);
      sign(copy, at, pwd, mac);
      return memcmp(mac, data + at + 4, integrity_bytes) == 0;
    }
    at += 4 + ((length + 3) & ~3u);
  }
  return false;
}

bool ice_is_stun(const uint8_t *data, size_t bytes) {
  return bytes >= head_bytes && data[0] < 4 && get16(data + 4) == cookie >> 16;
}

static void begin(uint8_t *message, uint16_t type, const uint8_t *transaction) {
  put16(message, type);
  put32(message + 4, cookie);
  memcpy(message + 8, transaction, 12);
}

void ice_ask(struct receiver *r) {
  // The greatest there is: whoever wants to be in control as well gives in.
  static const uint8_t tie_breaker[] = {255, 255, 255, 255, 255, 255, 255, 255};
  uint8_t message[DATAGRAM_MAX], word[4];
  char name[2 * NAME_CHARS_MAX];
  // A question that is asked again before the path stands is the same one.
  if (r->asked_at_us == 0 || r->path_stands) RAND_bytes(r->transaction, sizeof r->transaction);
  begin(message, request, r->transaction);
  const int chars = snprintf(name, sizeof name, "%s:%s", r->remote_ufrag, r->local_ufrag);
  size_t bytes = append(message, head_bytes, username, name, chars);
  put32(word, priority_told);
  bytes = append(message, bytes, priority, word, sizeof word);
  bytes = append(message, bytes, controlling, tie_breaker, sizeof tie_breaker);
  bytes = append(message, bytes, use_candidate, NULL, 0);
  bytes = seal(message, bytes, r->remote_pwd);
  send(r->socket, message, bytes, 0);
  r->asked_at_us = now_us();
}

/** Tells the address that we see: the one that our socket is connected to. */
static void ice_answer(const struct receiver *r, const uint8_t *asked) {
  uint8_t message[DATAGRAM_MAX], mapped[8] = {0, 1};
  struct sockaddr_in server;
  socklen_t size = sizeof server;
  if (getpeername(r->socket, (struct sockaddr *)&server, &size) != 0) return;
  begin(message, answer, asked + 8);
  put16(mapped + 2, ntohs(server.sin_port) ^ cookie >> 16);
  put32(mapped + 4, ntohl(server.sin_addr.s_addr) ^ cookie);
  size_t bytes = append(message, head_bytes, mapped_address, mapped, sizeof mapped);
  bytes = seal(message, bytes, r->local_pwd);
  send(r->socket, message, bytes, 0);
}

bool ice_take(struct receiver *r, const uint8_t *data, size_t bytes) {
  if (get16(data) == request && is_signed(data, bytes, r->local_pwd)) ice_answer(r, data);
  return get16(data) == answer && memcmp(data + 8, r->transaction, 12) == 0 &&
         is_signed(data, bytes, r->remote_pwd);
}
