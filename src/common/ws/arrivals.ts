import { setTimeout as sleep } from 'node:timers/promises';

/** Sockets that come within this time are welcomed together. */
const GATHER_MS = 20;

interface Group {
  socketIds: string[];
  welcomed: Promise<void>;
}

/**
 * Welcomes sockets that come at the same moment together: what they all get is read and encoded once, however many
 * connect at once after a restart.
 */
export class Arrivals<What> {
  private readonly groups = new Map<string, Group>();

  constructor(private readonly welcome: (socketIds: string[], what: What) => Promise<void>) {}

  /** Returns when the socket is welcomed. @param name the same for all who get the same */
  add(socketId: string, name: string, what: What): Promise<void> {
    const group = this.groups.get(name) ?? { socketIds: [], welcomed: this.welcomeSoon(name, what) };
    this.groups.set(name, group);
    group.socketIds.push(socketId);
    return group.welcomed;
  }

  private async welcomeSoon(name: string, what: What): Promise<void> {
    await sleep(GATHER_MS);
    const { socketIds } = this.groups.get(name)!;
    this.groups.delete(name);
    await this.welcome(socketIds, what);
  }
}
