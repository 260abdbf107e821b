import { isRefusal, type PlainConnection } from '../plain/plain-connection.js';
import type { Frame, PlainSocket } from '../plain/plain-socket.js';
import { errorFrame, NO_SUCH_USER, textOf, UNKNOWN_TYPE } from './fastapi-gym.wire.js';

/** What a frame becomes. */
export interface FrameKind {
  /** Asks the namespace. @returns the frames of the answer */
  ask: (devices: PlainConnection, frame: Frame) => Promise<object[]>;
  /** What is said of a wrong field; by default that there is no such person. */
  wrongField?: string;
  /** The frames of a refusal with this text; by default an `error`. */
  refuse?: (text: string) => object[];
}

/** By the type of the frame. */
export type FrameKinds = Record<string, FrameKind>;

/** Answers a frame of one who has signed in. */
export async function answerFrame(
  kinds: FrameKinds,
  socket: PlainSocket,
  devices: PlainConnection,
  frame: Frame,
): Promise<void> {
  const type = typeof frame.type === 'string' ? frame.type : '';
  if (!Object.hasOwn(kinds, type)) return socket.send(errorFrame(UNKNOWN_TYPE));
  const { ask, wrongField = NO_SUCH_USER, refuse = (text) => [errorFrame(text)] } = kinds[type]!;
  try {
    for (const answer of await ask(devices, frame)) socket.send(answer);
  } catch (thrown) {
    if (!isRefusal(thrown)) throw thrown;
    for (const answer of refuse(textOf(thrown, wrongField))) socket.send(answer);
  }
}
