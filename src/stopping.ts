/** Longer than any request may take would be too long for an operator who presses Ctrl-C. */
export const DRAIN_MS = 8_000;
/** For the embedded database to stop. */
export const LEAVE_MS = 12_000;
/** After this the server has stopped: what stops it must wait longer. */
export const STOPPING_SECONDS = (DRAIN_MS + LEAVE_MS) / 1000;
