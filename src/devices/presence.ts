import { Injectable, Logger, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { DevicesService } from './devices.service.js';

const SAY_SO_EVERY_MS = 15_000;
/** A server that died says nothing more: its devices count as gone after this. */
const GOOD_FOR_SECONDS = 40;

/** Which devices are connected to this server; all servers see it in the database. */
@Injectable()
export class Presence implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly logger = new Logger('Devices');
  /** Connections by device: one that reconnects may have two for a moment. */
  private readonly connected = new Map<number, number>();
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly devices: DevicesService) {}

  onApplicationBootstrap(): void {
    this.timer = setInterval(() => this.say([...this.connected.keys()], GOOD_FOR_SECONDS), SAY_SO_EVERY_MS).unref();
  }

  onApplicationShutdown(): void {
    clearInterval(this.timer);
  }

  arrived(deviceId: number): void {
    this.connected.set(deviceId, (this.connected.get(deviceId) ?? 0) + 1);
    this.say([deviceId], GOOD_FOR_SECONDS);
  }

  left(deviceId: number): void {
    const others = (this.connected.get(deviceId) ?? 1) - 1;
    if (others > 0) this.connected.set(deviceId, others);
    else {
      this.connected.delete(deviceId);
      this.say([deviceId], 0);
    }
  }

  private say(deviceIds: number[], seconds: number): void {
    this.devices
      .seen(deviceIds, seconds)
      .catch((error: Error) => this.logger.warn(`What is online is not known to all: ${error.message}`));
  }
}
