// For tests of rooms beside the SFU node: a real node with a real worker, and tickets to its rooms.
export type { RoomClient } from '../sfu-cluster/testing/room-client.ts';
export { type Scene, useScene } from '../sfu-cluster/testing/scene.ts';
export { startTestNode, type TestNode } from '../sfu-cluster/testing/test-node.ts';
