/** Where a container sees the part of the state folder that it needs. */
export const MOUNT = '/salus';
/** Where a peer's container sees the external builder. */
export const BUILDER_MOUNT = '/builder';
