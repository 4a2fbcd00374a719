/*
 * Datagrams that one UDP socket has been given within one turn of the event loop, so that one system
 * call takes many of them. A turn ends before the loop waits: nothing is held back by a timer.
 */
#ifndef MS_UDP_SEND_BATCH_HPP
#define MS_UDP_SEND_BATCH_HPP

#include "common.hpp"
#include <netinet/in.h>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

class UdpSocketHandle;

class UdpSendBatch
{
public:
	using onSendCallback = const std::function<void(bool sent)>;

private:
	/* The part of struct sockaddr_storage that the Internet needs. */
	union Address
	{
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	};

	struct Datagram
	{
		uint8_t* data;
		size_t len;
		Address address;
		// Owned.
		onSendCallback* cb;
	};

	using Results = std::vector<std::pair<onSendCallback*, bool>>;

public:
	explicit UdpSendBatch(UdpSocketHandle* socket);
	UdpSendBatch& operator=(const UdpSendBatch&) = delete;
	UdpSendBatch(const UdpSendBatch&)            = delete;
	~UdpSendBatch();

public:
	/**
	 * Copies the datagram and takes over the callback, which is called once the kernel has the datagram
	 * or it is lost. May send those that came before.
	 *
	 * @return false if such a datagram cannot be batched; nothing has been taken over then, and those
	 * that came before have been sent.
	 */
	bool Add(const uint8_t* data, size_t len, const struct sockaddr* addr, onSendCallback* cb);
	/**
	 * Sends all of them. Callbacks are called last, and may add more.
	 */
	void Flush();
	/**
	 * Sends all of them for the last time. Callbacks are told that nothing was sent.
	 */
	void Close();

	/* For the end of a turn. */
public:
	static void FlushAll();

private:
	Results Transmit();
	void Queue(const Datagram& datagram, Results& results);

private:
	UdpSocketHandle* socket;
	// Room for as many datagrams as there may be, one after the other.
	std::unique_ptr<uint8_t[]> store;
	std::vector<Datagram> datagrams;
	// Whether the end of the turn knows of us.
	bool awaited{ false };
};

#endif
