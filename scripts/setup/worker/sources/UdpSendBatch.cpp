#define MS_CLASS "UdpSendBatch"
// #define MS_LOG_DEV_LEVEL 3

#include "handles/UdpSendBatch.hpp"
#include "DepLibUV.hpp"
#include "Logger.hpp"
#include "handles/UdpSocketHandle.hpp"
#include <sys/socket.h> // sendmmsg()
#include <uv.h>
#include <array>
#include <cerrno>
#include <cstring> // std::memcpy()

/* Static. */

// So few that the copies are still in the nearest cache of the processor when the kernel reads them:
// with 256 a third of the gain was gone at 1.5 Mbit/s. The first one waits while 31 others are encrypted.
static constexpr size_t DatagramsMax{ 32 };
// What fits an Ethernet frame. Larger ones are rare, and go alone.
static constexpr size_t DatagramLenMax{ 1500 };

/* The end of a turn of the event loop, for all sockets of this thread. */
struct Turn
{
	uv_check_t afterPoll{};
	uv_prepare_t beforePoll{};
	int open{ 2 };
};

static thread_local Turn* turn{ nullptr };
static thread_local size_t sockets{ 0 };
static thread_local std::vector<UdpSendBatch*> awaitedBatches;

/* Static methods for UV callbacks. */

inline static void onAfterPoll(uv_check_t* /*handle*/)
{
	UdpSendBatch::FlushAll();
}

inline static void onBeforePoll(uv_prepare_t* /*handle*/)
{
	UdpSendBatch::FlushAll();
}

inline static void onCloseTurn(uv_handle_t* handle)
{
	auto* closed = static_cast<Turn*>(handle->data);

	if (--closed->open == 0)
	{
		delete closed;
	}
}

inline static void onQueuedSend(uv_udp_send_t* req, int status)
{
	auto* sendData = static_cast<UdpSocketHandle::UvSendData*>(req->data);
	auto* socket   = static_cast<UdpSocketHandle*>(req->handle->data);

	if (socket)
	{
		socket->OnUvSend(status, sendData->cb);
	}

	// It deletes the callback too.
	delete sendData;
}

/* Instance methods. */

UdpSendBatch::UdpSendBatch(UdpSocketHandle* socket) : socket(socket)
{
	MS_TRACE();

	if (sockets++ > 0)
	{
		return;
	}

	// None of these calls can fail.
	turn = new Turn();

	uv_check_init(DepLibUV::GetLoop(), std::addressof(turn->afterPoll));
	uv_prepare_init(DepLibUV::GetLoop(), std::addressof(turn->beforePoll));

	turn->afterPoll.data  = turn;
	turn->beforePoll.data = turn;

	// What polling leads to goes out before timers run, and what timers send before the loop waits.
	uv_check_start(std::addressof(turn->afterPoll), onAfterPoll);
	uv_prepare_start(std::addressof(turn->beforePoll), onBeforePoll);

	// They are no reason for the loop to go on.
	uv_unref(reinterpret_cast<uv_handle_t*>(std::addressof(turn->afterPoll)));
	uv_unref(reinterpret_cast<uv_handle_t*>(std::addressof(turn->beforePoll)));
}

UdpSendBatch::~UdpSendBatch()
{
	MS_TRACE();

	if (this->awaited)
	{
		std::erase(awaitedBatches, this);
	}

	if (--sockets > 0)
	{
		return;
	}

	uv_close(reinterpret_cast<uv_handle_t*>(std::addressof(turn->afterPoll)), onCloseTurn);
	uv_close(reinterpret_cast<uv_handle_t*>(std::addressof(turn->beforePoll)), onCloseTurn);

	turn = nullptr;
}

bool UdpSendBatch::Add(
  const uint8_t* data, size_t len, const struct sockaddr* addr, onSendCallback* cb)
{
	MS_TRACE();

	const bool isV4 = addr->sa_family == AF_INET;

	if (len > DatagramLenMax || (!isV4 && addr->sa_family != AF_INET6))
	{
		// It must not overtake others.
		Flush();

		return false;
	}

	// What its callbacks send may have filled it anew.
	while (this->datagrams.size() == DatagramsMax)
	{
		Flush();
	}

	if (!this->store)
	{
		this->store.reset(new uint8_t[DatagramsMax * DatagramLenMax]);
		this->datagrams.reserve(DatagramsMax);
	}

	auto* copy =
	  this->datagrams.empty() ? this->store.get() : this->datagrams.back().data + this->datagrams.back().len;

	std::memcpy(copy, data, len);

	auto& datagram = this->datagrams.emplace_back();

	datagram.data = copy;
	datagram.len  = len;
	datagram.cb   = cb;

	std::memcpy(
	  std::addressof(datagram.address), addr, isV4 ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6));

	if (!this->awaited)
	{
		this->awaited = true;

		awaitedBatches.push_back(this);
	}

	return true;
}

void UdpSendBatch::Flush()
{
	MS_TRACE();

	// A callback may lead to anything: nothing of this object is touched once they are called.
	for (const auto& [cb, sent] : Transmit())
	{
		(*cb)(sent);
		delete cb;
	}
}

void UdpSendBatch::Close()
{
	MS_TRACE();

	// Whoever waits for the result may be half destroyed, and learns nothing from it any more.
	for (const auto& [cb, sent] : Transmit())
	{
		(*cb)(false);
		delete cb;
	}
}

void UdpSendBatch::FlushAll()
{
	// As long as callbacks send more.
	while (!awaitedBatches.empty())
	{
		auto* batch = awaitedBatches.back();

		awaitedBatches.pop_back();
		batch->awaited = false;
		batch->Flush();
	}
}

UdpSendBatch::Results UdpSendBatch::Transmit()
{
	MS_TRACE();

	Results results;

	if (this->datagrams.empty())
	{
		return results;
	}

	auto* uvHandle     = this->socket->uvHandle;
	const size_t count = this->datagrams.size();
	std::array<struct mmsghdr, DatagramsMax> messages;
	std::array<struct iovec, DatagramsMax> buffers;

	for (size_t i = 0; i < count; ++i)
	{
		auto& datagram = this->datagrams[i];
		auto& header   = messages[i].msg_hdr;

		buffers[i] = { datagram.data, datagram.len };

		header.msg_name       = std::addressof(datagram.address);
		header.msg_namelen    = datagram.address.any.sa_family == AF_INET ? sizeof(struct sockaddr_in)
		                                                                  : sizeof(struct sockaddr_in6);
		header.msg_iov        = std::addressof(buffers[i]);
		header.msg_iovlen     = 1;
		header.msg_control    = nullptr;
		header.msg_controllen = 0;
		header.msg_flags      = 0;
	}

	uv_os_fd_t fd{ -1 };

	uv_fileno(reinterpret_cast<const uv_handle_t*>(uvHandle), std::addressof(fd));

	const auto finish = [this, &results](const Datagram& datagram, bool sent)
	{
		this->socket->sentBytes += sent ? datagram.len : 0;

		if (datagram.cb)
		{
			results.emplace_back(datagram.cb, sent);
		}
	};

	size_t next{ 0 };
	size_t refused{ count };

	// What libuv has yet to send comes first.
	while (next < count && uv_udp_get_send_queue_count(uvHandle) == 0)
	{
		const int taken = sendmmsg(fd, std::addressof(messages[next]), count - next, MSG_DONTWAIT);

		if (taken > 0)
		{
			for (const size_t end = next + taken; next < end; ++next)
			{
				finish(this->datagrams[next], true);
			}
		}
		else if (errno == EAGAIN || errno == EWOULDBLOCK || errno == ENOBUFS)
		{
			break;
		}
		// The error may be one of earlier that the socket tells only now: each gets a second chance.
		else if (errno != EINTR && std::exchange(refused, next) == next)
		{
			finish(this->datagrams[next++], false);
		}
	}

	for (; next < count; ++next)
	{
		Queue(this->datagrams[next], results);
	}

	this->datagrams.clear();

	return results;
}

/**
 * Lets libuv send it once the socket has room, as a socket without a batch does.
 */
void UdpSendBatch::Queue(const Datagram& datagram, Results& results)
{
	MS_TRACE();

	auto* sendData = new UdpSocketHandle::UvSendData(datagram.len);

	sendData->req.data = static_cast<void*>(sendData);
	std::memcpy(sendData->store, datagram.data, datagram.len);

	const uv_buf_t buffer = uv_buf_init(reinterpret_cast<char*>(sendData->store), datagram.len);
	const int err         = uv_udp_send(
	  std::addressof(sendData->req),
	  this->socket->uvHandle,
	  std::addressof(buffer),
	  1,
	  std::addressof(datagram.address.any),
	  onQueuedSend);

	if (err == 0)
	{
		this->socket->sentBytes += datagram.len;
		sendData->cb = datagram.cb;

		return;
	}

	delete sendData;

	if (datagram.cb)
	{
		results.emplace_back(datagram.cb, false);
	}
}
