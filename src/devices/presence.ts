import { Injectable, Logger, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { DevicesService } from './devices.service.js';

const TELL_EVERY_MS = 15_000;
/** A server that died tells nothing more: its devices count as gone after this time. */
const ONLINE_SECONDS = 40;

/** Which devices are connected to this server; all servers see it in the database. */
@Injectable()
export class Presence implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly logger = new Logger('Devices');
  /** Devices by connection: one that reconnects may have two for a moment. */
  private readonly connected = new Map<string, number>();
  /** What the database is told, in the order in which it happened. */
  private telling = Promise.resolve();
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly devices: DevicesService) {}

  onApplicationBootstrap(): void {
    this.timer = setInterval(
      () => this.tellDatabase([...new Set(this.connected.values())], ONLINE_SECONDS),
      TELL_EVERY_MS,
    ).unref();
  }

  onApplicationShutdown(): void {
    clearInterval(this.timer);
  }

  deviceArrived(socketId: string, deviceId: number): void {
    this.connected.set(socketId, deviceId);
    this.tellDatabase([deviceId], ONLINE_SECONDS);
  }

  /** Of a connection that never arrived there is nothing to tell. */
  deviceLeft(socketId: string): void {
    const deviceId = this.connected.get(socketId);
    if (deviceId === undefined) return;
    this.connected.delete(socketId);
    if (![...this.connected.values()].includes(deviceId)) this.tellDatabase([deviceId], 0);
  }

  private tellDatabase(deviceIds: number[], seconds: number): void {
    this.telling = this.telling
      .then(() => this.devices.noteConnected(deviceIds, seconds))
      .catch((error: Error) => this.logger.warn(`What is online is not known to all: ${error.message}`));
  }
}
