/*
 * libsrtp 3's API, as far as the worker uses it, over libsrtp 2.
 *
 * Three things differ between the two: libsrtp 3 writes its result to a second buffer, its policy is
 * an opaque object that is filled by calls, and it knows two more status codes.
 */
#ifndef LIVEPANTY_SRTP_H
#define LIVEPANTY_SRTP_H

/* libsrtp 2's policy is a struct of this very name; ours is a pointer. */
#define srtp_policy_t srtp2_policy_t
#include <srtp2/srtp.h>
#undef srtp_policy_t

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <new>

/* Codes that libsrtp 2 never returns; the worker only names them in its table of texts. */
constexpr srtp_err_status_t srtp_err_status_buffer_small = static_cast<srtp_err_status_t>(28);
constexpr srtp_err_status_t srtp_err_status_cryptex_err  = static_cast<srtp_err_status_t>(29);

struct livepanty_srtp_policy
{
	srtp2_policy_t policy;
	unsigned char key[SRTP_MAX_KEY_LEN];
};

using srtp_policy_t = livepanty_srtp_policy*;

inline srtp_err_status_t srtp_policy_create(srtp_policy_t* policy)
{
	/* The parentheses zero the whole struct: an unset member of libsrtp 2's policy is a zero. */
	*policy = new (std::nothrow) livepanty_srtp_policy();

	if (*policy == nullptr)
	{
		return srtp_err_status_alloc_fail;
	}

	(*policy)->policy.key = (*policy)->key;

	return srtp_err_status_ok;
}

inline void srtp_policy_destroy(srtp_policy_t policy)
{
	if (policy != nullptr)
	{
		explicit_bzero(policy->key, sizeof(policy->key));
	}

	delete policy;
}

inline srtp_err_status_t srtp_policy_set_ssrc(srtp_policy_t policy, srtp_ssrc_t ssrc)
{
	policy->policy.ssrc = ssrc;

	return srtp_err_status_ok;
}

inline srtp_err_status_t srtp_policy_set_profile(srtp_policy_t policy, srtp_profile_t profile)
{
	const srtp_err_status_t err =
	  srtp_crypto_policy_set_from_profile_for_rtp(&policy->policy.rtp, profile);

	if (err != srtp_err_status_ok)
	{
		return err;
	}

	return srtp_crypto_policy_set_from_profile_for_rtcp(&policy->policy.rtcp, profile);
}

inline srtp_err_status_t srtp_policy_add_key(
  srtp_policy_t policy,
  const uint8_t* key,
  size_t keyLen,
  const uint8_t* salt,
  size_t saltLen,
  const uint8_t* /*mki*/,
  size_t mkiLen)
{
	/* The worker has one key and no MKI (RFC 3711, 3.1). */
	if (mkiLen != 0 || keyLen + saltLen > sizeof(policy->key))
	{
		return srtp_err_status_bad_param;
	}

	std::memcpy(policy->key, key, keyLen);
	std::memcpy(policy->key + keyLen, salt, saltLen);

	return srtp_err_status_ok;
}

inline srtp_err_status_t srtp_policy_set_allow_repeat_tx(srtp_policy_t policy, bool allow)
{
	policy->policy.allow_repeat_tx = allow ? 1 : 0;

	return srtp_err_status_ok;
}

inline srtp_err_status_t srtp_policy_set_window_size(srtp_policy_t policy, size_t windowSize)
{
	policy->policy.window_size = static_cast<unsigned long>(windowSize);

	return srtp_err_status_ok;
}

inline srtp_err_status_t srtp_create(srtp_t* session, srtp_policy_t policy)
{
	return srtp_create(session, static_cast<const srtp2_policy_t*>(&policy->policy));
}

inline srtp_err_status_t srtp_stream_remove(srtp_t session, uint32_t ssrc)
{
	/* Both take the SSRC in network order. */
	return srtp_remove_stream(session, ssrc);
}

/*
 * libsrtp 2 works in place: copy to the output first. `*outLen` holds the room there on entry, and
 * the trailer that encryption appends (plus the 4 bytes of the SRTCP index) must fit too.
 */
inline srtp_err_status_t livepanty_srtp_in_place(
  srtp_err_status_t (*operation)(srtp_t, void*, int*),
  size_t trailerLen,
  srtp_t session,
  const uint8_t* in,
  size_t inLen,
  uint8_t* out,
  size_t* outLen)
{
	if (inLen + trailerLen > *outLen)
	{
		return srtp_err_status_buffer_small;
	}

	if (in != out)
	{
		std::memmove(out, in, inLen);
	}

	int len                     = static_cast<int>(inLen);
	const srtp_err_status_t err = operation(session, out, &len);

	if (err == srtp_err_status_ok)
	{
		*outLen = static_cast<size_t>(len);
	}

	return err;
}

inline srtp_err_status_t srtp_protect(
  srtp_t session, const uint8_t* in, size_t inLen, uint8_t* out, size_t* outLen, size_t /*mkiIndex*/)
{
	return livepanty_srtp_in_place(
	  static_cast<srtp_err_status_t (*)(srtp_t, void*, int*)>(srtp_protect),
	  SRTP_MAX_TRAILER_LEN,
	  session,
	  in,
	  inLen,
	  out,
	  outLen);
}

inline srtp_err_status_t srtp_unprotect(
  srtp_t session, const uint8_t* in, size_t inLen, uint8_t* out, size_t* outLen)
{
	return livepanty_srtp_in_place(
	  static_cast<srtp_err_status_t (*)(srtp_t, void*, int*)>(srtp_unprotect),
	  0,
	  session,
	  in,
	  inLen,
	  out,
	  outLen);
}

inline srtp_err_status_t srtp_protect_rtcp(
  srtp_t session, const uint8_t* in, size_t inLen, uint8_t* out, size_t* outLen, size_t /*mkiIndex*/)
{
	return livepanty_srtp_in_place(
	  static_cast<srtp_err_status_t (*)(srtp_t, void*, int*)>(srtp_protect_rtcp),
	  SRTP_MAX_TRAILER_LEN + 4,
	  session,
	  in,
	  inLen,
	  out,
	  outLen);
}

inline srtp_err_status_t srtp_unprotect_rtcp(
  srtp_t session, const uint8_t* in, size_t inLen, uint8_t* out, size_t* outLen)
{
	return livepanty_srtp_in_place(
	  static_cast<srtp_err_status_t (*)(srtp_t, void*, int*)>(srtp_unprotect_rtcp),
	  0,
	  session,
	  in,
	  inLen,
	  out,
	  outLen);
}

#endif
