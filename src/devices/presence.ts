import { Injectable, Logger, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { DevicesService } from './devices.service.js';

const SAY_SO_EVERY_MS = 15_000;
/** A server that died says nothing more: its devices count as gone after this. */
const GOOD_FOR_SECONDS = 40;

/** Which devices are connected to this server; all servers see it in the database. */
@Injectable()
export class Presence implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly logger = new Logger('Devices');
  /** Devices by connection: one that reconnects may have two for a moment. */
  private readonly connected = new Map<string, number>();
  /** What is said to the database, in the order in which it happened. */
  private saying = Promise.resolve();
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly devices: DevicesService) {}

  onApplicationBootstrap(): void {
    this.timer = setInterval(
      () => this.say([...new Set(this.connected.values())], GOOD_FOR_SECONDS),
      SAY_SO_EVERY_MS,
    ).unref();
  }

  onApplicationShutdown(): void {
    clearInterval(this.timer);
  }

  arrived(socketId: string, deviceId: number): void {
    this.connected.set(socketId, deviceId);
    this.say([deviceId], GOOD_FOR_SECONDS);
  }

  /** A connection that never arrived leaves nothing. */
  left(socketId: string): void {
    const deviceId = this.connected.get(socketId);
    if (deviceId === undefined) return;
    this.connected.delete(socketId);
    if (![...this.connected.values()].includes(deviceId)) this.say([deviceId], 0);
  }

  private say(deviceIds: number[], seconds: number): void {
    this.saying = this.saying
      .then(() => this.devices.seen(deviceIds, seconds))
      .catch((error: Error) => this.logger.warn(`What is online is not known to all: ${error.message}`));
  }
}
