// DTLS-SRTP: the handshake over the receiver's own socket, with one certificate for all receivers.
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#include "receiver.h"

enum { mtu_bytes = 1200, key_bytes = 16, salt_bytes_max = 14, certificate_seconds = 7 * 24 * 3600 };
static const unsigned resend_first_us = 50 * 1000, resend_max_us = 2 * 1000 * 1000;

static const struct suite {
  const char *name, *openssl_name;
  size_t salt_bytes;
  void (*rtp)(srtp_crypto_policy_t *);
  void (*rtcp)(srtp_crypto_policy_t *);
} suites[] = {
    {"AEAD_AES_128_GCM", "SRTP_AEAD_AES_128_GCM", 12, srtp_crypto_policy_set_aes_gcm_128_16_auth,
     srtp_crypto_policy_set_aes_gcm_128_16_auth},
    {"AES_CM_128_HMAC_SHA1_80", "SRTP_AES128_CM_SHA1_80", 14, srtp_crypto_policy_set_rtp_default,
     srtp_crypto_policy_set_rtcp_default},
};

static const struct suite *suite;
static SSL_CTX *context;
static BIO_METHOD *datagrams;
static char own_fingerprint[NAME_CHARS_MAX];

static void fingerprint_of(X509 *certificate, char *into) {
  uint8_t digest[EVP_MAX_MD_SIZE];
  unsigned bytes = 0;
  X509_digest(certificate, EVP_sha256(), digest, &bytes);
  for (unsigned i = 0; i < bytes; i++) into += sprintf(into, i == 0 ? "%02X" : ":%02X", digest[i]);
}

static X509 *make_certificate(EVP_PKEY *key) {
  X509 *certificate = X509_new();
  X509_set_version(certificate, 2);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
  X509_gmtime_adj(X509_getm_notBefore(certificate), -certificate_seconds);
  X509_gmtime_adj(X509_getm_notAfter(certificate), certificate_seconds);
  X509_NAME *name = X509_get_subject_name(certificate);
  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const uint8_t *)"WebRTC", -1, -1, 0);
  X509_set_issuer_name(certificate, name);
  X509_set_pubkey(certificate, key);
  return X509_sign(certificate, key, EVP_sha256()) ? certificate : NULL;
}

static int send_datagram(BIO *bio, const char *data, int bytes) {
  const struct receiver *r = BIO_get_data(bio);
  send(r->socket, data, bytes, 0);
  // One that the kernel does not take is one that was lost: it is sent again.
  return bytes;
}

static int read_datagram(BIO *bio, char *into, int room) {
  struct receiver *r = BIO_get_data(bio);
  BIO_clear_retry_flags(bio);
  if (r->dtls_in_bytes == 0) {
    BIO_set_retry_read(bio);
    return -1;
  }
  int bytes = r->dtls_in_bytes < (size_t)room ? (int)r->dtls_in_bytes : room;
  memcpy(into, r->dtls_in, bytes);
  r->dtls_in_bytes = 0;
  return bytes;
}

static long control(BIO *bio, int command, long number, void *pointer) {
  (void)bio, (void)number, (void)pointer;
  switch (command) {
    case BIO_CTRL_FLUSH: return 1;
    case BIO_CTRL_DGRAM_QUERY_MTU: return mtu_bytes;
    default: return 0;
  }
}

/** The certificate is looked at by its fingerprint, when the handshake is over. */
static int accept_for_now(int verified, X509_STORE_CTX *store) {
  (void)verified, (void)store;
  return 1;
}

static unsigned resend_after(SSL *ssl, unsigned last_us) {
  (void)ssl;
  if (last_us == 0) return resend_first_us;
  return last_us * 2 < resend_max_us ? last_us * 2 : resend_max_us;
}

bool secure_open(const char *name) {
  for (size_t i = 0; i < sizeof suites / sizeof *suites; i++) {
    if (strcmp(suites[i].name, name) == 0) suite = &suites[i];
  }
  if (!suite || srtp_init() != srtp_err_status_ok) return false;
  EVP_PKEY *key = EVP_EC_gen("P-256");
  X509 *certificate = key ? make_certificate(key) : NULL;
  context = SSL_CTX_new(DTLS_client_method());
  if (!certificate || !context) return false;
  fingerprint_of(certificate, own_fingerprint);
  SSL_CTX_set_min_proto_version(context, DTLS1_2_VERSION);
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER, accept_for_now);
  SSL_CTX_set_options(context, SSL_OP_NO_QUERY_MTU);
  datagrams = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "datagrams");
  BIO_meth_set_write(datagrams, send_datagram);
  BIO_meth_set_read(datagrams, read_datagram);
  BIO_meth_set_ctrl(datagrams, control);
  return SSL_CTX_use_certificate(context, certificate) == 1 &&
         SSL_CTX_use_PrivateKey(context, key) == 1 &&
         SSL_CTX_set_tlsext_use_srtp(context, suite->openssl_name) == 0;
}

const char *secure_fingerprint(void) { return own_fingerprint; }

void secure_start(struct receiver *r) {
  BIO *bio = BIO_new(datagrams);
  BIO_set_data(bio, r);
  BIO_set_init(bio, 1);
  r->ssl = SSL_new(context);
  SSL_set_bio(r->ssl, bio, bio);
  SSL_set_mtu(r->ssl, mtu_bytes);
  DTLS_set_timer_cb(r->ssl, resend_after);
  SSL_set_connect_state(r->ssl);
}

static bool make_session(srtp_t *session, srtp_ssrc_type_t side, const uint8_t *key, const uint8_t *salt) {
  uint8_t both[key_bytes + salt_bytes_max];
  memcpy(both, key, key_bytes);
  memcpy(both + key_bytes, salt, suite->salt_bytes);
  srtp_policy_t policy = {.ssrc = {.type = side}, .key = both, .window_size = 1024, .allow_repeat_tx = 1};
  suite->rtp(&policy.rtp);
  suite->rtcp(&policy.rtcp);
  return srtp_create(session, &policy) == srtp_err_status_ok;
}

/** Null, or what is wrong with the other side. */
static const char *take_keys(struct receiver *r) {
  char theirs[NAME_CHARS_MAX] = "";
  X509 *certificate = SSL_get1_peer_certificate(r->ssl);
  if (certificate) fingerprint_of(certificate, theirs);
  X509_free(certificate);
  if (strcasecmp(theirs, r->remote_fingerprint) != 0) return "the certificate is another one";
  if (!SSL_get_selected_srtp_profile(r->ssl)) return "the server does not take the suite";
  // Both keys first, then both salts; the client's before the server's.
  uint8_t material[2 * (key_bytes + salt_bytes_max)];
  static const char label[] = "EXTRACTOR-dtls_srtp";
  const size_t salt = suite->salt_bytes, bytes = 2 * (key_bytes + salt);
  if (SSL_export_keying_material(r->ssl, material, bytes, label, sizeof label - 1, NULL, 0, 0) != 1) {
    return "there are no keys";
  }
  const uint8_t *keys = material, *salts = material + 2 * key_bytes;
  if (!make_session(&r->outbound, ssrc_any_outbound, keys, salts) ||
      !make_session(&r->inbound, ssrc_any_inbound, keys + key_bytes, salts + salt)) {
    return "SRTP does not take the keys";
  }
  r->secured = true;
  return NULL;
}

const char *secure_go_on(struct receiver *r, const uint8_t *data, size_t bytes) {
  char nothing[DATAGRAM_MAX];
  r->dtls_in = data;
  r->dtls_in_bytes = bytes;
  ERR_clear_error();
  if (bytes == 0) DTLSv1_handle_timeout(r->ssl);
  // Once the handshake is over there is nothing to read but the end.
  int result = SSL_is_init_finished(r->ssl) ? SSL_read(r->ssl, nothing, sizeof nothing)
                                            : SSL_do_handshake(r->ssl);
  if (!r->secured && SSL_is_init_finished(r->ssl)) return take_keys(r);
  switch (SSL_get_error(r->ssl, result)) {
    case SSL_ERROR_ZERO_RETURN: return "the server has closed";
    case SSL_ERROR_SSL: return "the handshake has failed";
    default: return NULL;
  }
}

void secure_end(struct receiver *r) {
  if (r->secured) SSL_shutdown(r->ssl);
  SSL_free(r->ssl);
  if (r->inbound) srtp_dealloc(r->inbound);
  if (r->outbound) srtp_dealloc(r->outbound);
}
