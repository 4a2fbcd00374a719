// Stands in for the library that asks routers for ports (UPnP), which the WHIP client of the tests must not load.
//
// In Debian 12 the client stands on libsoup 2, and this library, which its ICE library loads, on libsoup 3: they do
// not go together. In tests there is no router.

unsigned long gupnp_simple_igd_get_type(void) { return 0; }
void *gupnp_simple_igd_thread_new(void) { return 0; }
void gupnp_simple_igd_add_port(void) {}
void gupnp_simple_igd_remove_port_local(void) {}
