import { randomUUID } from 'node:crypto';
import { Injectable, Logger, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { warnOf } from '../common/outage.js';
import { DevicesService } from './devices.service.js';

const TELL_EVERY_MS = 15_000;
/** A server that died tells nothing more: its devices count as gone after this time. */
const ONLINE_SECONDS = 40;

/** Which devices are connected to this server; all servers see it in the database. */
@Injectable()
export class Presence implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly logger = new Logger('Devices');
  private readonly server = randomUUID();
  /** Devices by connection: one that reconnects may have two for a moment. */
  private readonly connected = new Map<string, number>();
  /** What the database is told, in the order in which it happened. */
  private telling = Promise.resolve();
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly devices: DevicesService) {}

  onApplicationBootstrap(): void {
    const stillHere = () => this.devices.noteConnected([...this.connected.values()], this.server, ONLINE_SECONDS);
    this.timer = setInterval(() => this.tellDatabase(stillHere), TELL_EVERY_MS).unref();
  }

  onApplicationShutdown(): void {
    clearInterval(this.timer);
  }

  deviceArrived(socketId: string, deviceId: number): void {
    this.connected.set(socketId, deviceId);
    this.tellDatabase(() => this.devices.noteArrived(deviceId, this.server, ONLINE_SECONDS));
  }

  /** Of a connection that never arrived there is nothing to tell. */
  deviceLeft(socketId: string): void {
    const deviceId = this.connected.get(socketId);
    if (deviceId === undefined) return;
    this.connected.delete(socketId);
    if ([...this.connected.values()].includes(deviceId)) return;
    this.tellDatabase(() => this.devices.noteLeft(deviceId, this.server));
  }

  private tellDatabase(tell: () => Promise<void>): void {
    this.telling = this.telling
      .then(tell)
      .catch((error: unknown) => warnOf(this.logger, 'What is online is not known to all', error));
  }
}
