// Loaded into Janus: makes it take the loopback interface for one like any other. Janus offers no ICE candidate
// there otherwise, and the bench must work, and keep its packets to itself, on a machine without a network.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <ifaddrs.h>
#include <net/if.h>

int getifaddrs(struct ifaddrs **list) {
  int (*original)(struct ifaddrs **) = (int (*)(struct ifaddrs **))dlsym(RTLD_NEXT, "getifaddrs");
  const int result = original(list);
  if (result != 0) return result;
  for (struct ifaddrs *one = *list; one; one = one->ifa_next) one->ifa_flags &= ~IFF_LOOPBACK;
  return result;
}
