// Waking the browser's media engine: its threads and codecs start with the first connection of a page.

/** Starts the engine in the background; harmless where there is none. */
export function wakeMedia(): void {
  if (typeof RTCPeerConnection === 'undefined') return;
  const connection = new RTCPeerConnection();
  connection.addTransceiver('video', { direction: 'recvonly' });
  connection
    .createOffer()
    .catch(() => {
      // Whoever really needs a connection reports why there is none.
    })
    .finally(() => connection.close());
}
